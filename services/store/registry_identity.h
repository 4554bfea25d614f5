// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/store/registry_record.h"

/// Looking at identities, and at how far their changes have come.
namespace idzone::store {

class Database;

/// NOT_FOUND.
Result<IdentityRecord> FindIdentity(Database& database, OctetsView identity_id, const std::string& subject);

enum class IdentityFilter { kAll, kActive, kRevoked };
/// A namespace's identities, ascending by subject in the database's collation; `page.after` is a subject.
Result<std::vector<IdentityRecord>> ListIdentities(Database& database, std::int32_t namespace_id, IdentityFilter filter,
                                                   const PageOf& page);

/// How far one change has come.
struct ChangeState {
  std::uint64_t change = 0;
  bool published = false;
  std::optional<PublishedIn> version;  // unset: waiting, or published so long ago that its row was pruned
};

/// Where a namespace's changes, zone and edges stand, read in one snapshot.
struct ChangeReport {
  std::vector<ChangeState> changes;  // as asked
  bool all_published = false;        // the asked ones; for an empty question, everything up to `upto`, and all zones
  std::optional<PublishedIn> zone;   // the version of the namespace's own zone now
  // Both only when edges were asked for too.
  bool any_edge = false;  // at least one is registered
  /// Registered edges that do not hold what was asked for, in all zones that it touches: the versions of the changes; the present
  /// ones of all the namespace's zones when nothing was asked for or a version is no longer known. An edge of a higher epoch
  /// holds it: epochs rise when history is rewritten, and the new history contains every acknowledged change.
  std::vector<std::string> edges_behind;
};

/// Returns the newest waiting change of a namespace, 0 when none waits.
Result<std::uint64_t> NewestWaitingChange(Database& database, std::int32_t namespace_id);

/// `changes` empty: asks for everything up to `upto`; `at_edges`: asks about edges too. NOT_FOUND for a change of another namespace.
Result<ChangeReport> ReadChanges(Database& database, const NamespaceRecord& home, const std::vector<std::uint64_t>& changes,
                                 std::uint64_t upto, bool at_edges);

}  // namespace idzone::store
