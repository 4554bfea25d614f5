// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/version.h"

/// What a transfer host tells the feed of its foreign secondaries, so that whoever waits until live waits for them, too.
namespace idzone::zone {

/// Where a secondary stands in a zone. One that does not serve it counts for nobody: it can answer nothing that is old.
struct SecondaryStanding {
  std::string secondary;
  dns::Name zone;
  bool serves = false;
  Epoch epoch = 0;  // 0: it serves a version that is none of the last ones
  dns::Serial serial = 0;

  friend bool operator==(const SecondaryStanding&, const SecondaryStanding&) = default;
};

struct SecondaryReport {
  std::chrono::seconds notify_period{0};
  std::vector<std::string> secondaries;  // the ids of all; others are no longer there
  std::vector<SecondaryStanding> standings;
};

}  // namespace idzone::zone
