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

/// Polls until the answer is `done`, `timeout` is over, or `give_up` says so.
/// NAMESPACE_NOT_READY when `live_at_edges` is asked and no edge is registered; NOT_FOUND a change of another namespace.
Result<ChangeAnswer> WaitForChanges(store::Database& database, const store::NamespaceRecord& home, const ChangeQuestion& question,
                                    const std::function<bool()>& give_up);

}  // namespace idzone::provisioning
