// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "services/store/registry_zone_status.h"

namespace idzone::provisioning {

/// Returns what is wrong with a zone, a sentence each; nothing when it is well:
///   - a signer's alarm;
///   - a revocation that waits for more than a minute, an enrollment for more than five;
///   - signatures that should have been renewed an eighth of the re-sign period ago;
///   - one that has less than the policy's margin to live: a zone that is renewed on time keeps life - 3/2 resign, and the margin is
///     half a period less;
///   - foreign secondaries that serve a revoked record for longer than caches keep it, under a policy of short TTLs.
std::vector<std::string> ProblemsOf(const store::ZoneStatusRecord& status);

/// Returns how long after the edges foreign secondaries may still serve what was revoked; nothing: there are none.
std::optional<std::chrono::seconds> SecondaryBoundOf(const store::ZoneStatusRecord& status);

}  // namespace idzone::provisioning
