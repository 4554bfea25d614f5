// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "zone-signer/pipeline/zone_work.h"

namespace prometheus {
class Registry;
}

namespace idzone::signer::pipeline {

/// What operators watch. Names begin with idzone_signer_.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  /// Counts what a transaction did; `kind` is create, cut, change or renew.
  void CountWork(std::string_view kind, const WorkOutcome& outcome, UnixTime now);
  void CountFailure(Reason reason);
  void CountGivenUp();
  void SetQueue(std::string_view kind, std::chrono::seconds oldest);
  void SetZones(std::size_t zones, std::size_t failing, std::size_t in_clock_doubt);
  void CountTakeovers(std::int64_t sessions);
  /// `skew`: own clock minus PostgreSQL's.
  void SetClockSkew(std::chrono::seconds skew);
  void SetSweepLag(std::chrono::seconds most);
  void SetLeastRest(std::chrono::seconds rest);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace idzone::signer::pipeline
