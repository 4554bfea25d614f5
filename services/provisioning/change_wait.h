// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "services/store/registry_identity.h"

namespace idzone::store {
class Database;
}

/// Waiting until changes are published and live.
namespace idzone::provisioning {

struct ChangeQuestion {
  std::vector<std::uint64_t> changes;  // empty: everything that waits when the question is asked
  bool live_at_edges = false;
  std::chrono::milliseconds timeout{0};
};

struct ChangeAnswer {
  store::ChangeReport report;
  bool done = false;
  std::vector<std::string> edges_behind;
};

/// Returns the edges that do not have `version` yet. An edge of a higher epoch has it: epochs rise when history is
/// rewritten, and the new history contains every acknowledged change.
std::vector<std::string> EdgesBehind(const std::vector<store::EdgePositionRecord>& edges, const store::PublishedIn& version);

/// Returns the version that has all the published changes in it: the newest of theirs; the zone's own for changes whose
/// version is no longer known.
std::optional<store::PublishedIn> VersionNeeded(const store::ChangeReport& report);

/// Polls until the answer is `done`, `timeout` is over, or `give_up` says so.
/// NAMESPACE_NOT_READY when `live_at_edges` is asked and no edge is registered; NOT_FOUND a change of another namespace.
Result<ChangeAnswer> WaitForChanges(store::Database& database, const store::NamespaceRecord& home, const ChangeQuestion& question,
                                    const std::function<bool()>& give_up);

}  // namespace idzone::provisioning
