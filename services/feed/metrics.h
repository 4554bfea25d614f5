// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

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
  void CountVersion(std::size_t octets);
  void CountSnapshot(std::string_view outcome);
  void CountRefusal(std::string_view reason);
  void CountPollFailure();

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace idzone::feed
