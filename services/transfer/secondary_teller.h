// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/core/zone/secondary_report.h"

/// What the feed was told of where secondaries stand, so that only what is new is told again. Threads: one at a time.
namespace idzone::transfer {

class SecondaryTeller {
 public:
  /// Takes where they stand now.
  void Set(std::vector<zone::SecondaryStanding> standings) { now_ = std::move(standings); }
  /// Forgets what was told.
  void Forget() { told_.clear(); }
  /// Returns standings that differ from what was told, at most `max`, and takes these for told.
  std::vector<zone::SecondaryStanding> Take(std::size_t max);

 private:
  std::vector<zone::SecondaryStanding> now_;
  std::map<std::pair<std::string, dns::Name>, zone::SecondaryStanding> told_;
};

}  // namespace idzone::transfer
