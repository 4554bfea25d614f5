// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "services/core/base/clock.h"

namespace prometheus {
class Registry;
}

namespace idzone::replica {

/// What operators watch. Names begin with idzone_replica_. Threads: any.
class FollowerMetrics {
 public:
  explicit FollowerMetrics(prometheus::Registry& registry);
  ~FollowerMetrics();

  void SetConnected(bool connected);
  void SetRefusedZones(std::size_t zones);
  void SetHeldBackZones(std::size_t zones);
  void CountVersion(std::size_t changes, UnixTime now);
  void CountSnapshot(UnixTime now);
  void CountRefusal(std::string_view reason);
  void CountDiskFailure();

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace idzone::replica
