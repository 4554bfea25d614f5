// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "services/core/base/octets.h"

namespace idzone::verifier {

/// What came of comparing a key with a name's records.
struct Match {
  bool matched = false;
  /// Records that could be compared at all.
  std::size_t usable = 0;
  /// For people: which record matched, or why none did.
  std::string why;
};

/// Compares the RDATA of records that are known to be secure with a key: tlsa_match.h, sshfp_match.h, openpgp_match.h.
using Matcher = std::function<Match(const std::vector<Octets>& rdatas)>;

}  // namespace idzone::verifier
