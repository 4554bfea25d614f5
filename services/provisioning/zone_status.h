// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "services/store/registry_zone_status.h"

namespace idzone::provisioning {

/// Returns what is wrong with a zone, a sentence each; nothing when it is well:
///   - a signer's alarm;
///   - a revocation that waits for more than a minute, an enrollment for more than five;
///   - signatures that should have been renewed an eighth of the re-sign period ago;
///   - one that has less than the policy's margin to live: a zone that is renewed on time keeps life - 3/2 resign, and the margin is
///     half a period less.
std::vector<std::string> ProblemsOf(const store::ZoneStatusRecord& status);

}  // namespace idzone::provisioning
