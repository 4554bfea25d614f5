// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "services/core/dns/name.h"
#include "services/core/dns/serial.h"

namespace prometheus {
class Registry;
}

namespace idzone::feed {

/// What operators watch. Names begin with idzone_feed_. Threads: any.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  void SetFollowers(std::size_t followers);
  void SetZones(std::size_t fed, std::size_t quarantined);
  /// Zones with a time series of their own; monitoring suffers from more.
  static constexpr std::size_t kZonesMax = 1000;
  /// The newest serial of a zone, to be compared with what edges serve; nothing happens beyond kZonesMax zones.
  /// Threads: one at a time.
  void SetSerial(const dns::Name& zone, dns::Serial serial);
  void CountVersion(std::size_t octets);
  void CountSnapshot(std::string_view outcome);
  void CountRefusal(std::string_view reason);
  void CountPollFailure();

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace idzone::feed
