// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <set>

#include "services/core/zone/node.h"
#include "services/replica/environment.h"
#include "services/replica/format.h"

/// Which answers a version makes wrong, so that a name server forgets exactly those that it keeps.
///
/// An answer that is kept belongs to the name that was asked. It becomes wrong when that name changes, comes to exist or
/// ceases to; nothing else makes it so, because what proves a denial stays validly signed for as long as it is kept, whoever
/// else moves in its span. Three things reach further than a name: a wildcard answers for all names beside it, a cut for all
/// below it, and in a zone with a wildcard a new name takes those below it away from that.
/// Threads: one.
namespace idzone::replica {

class StaleNames {
 public:
  /// Beyond that many the whole zone is forgotten: an answer costs less than remembering so many names would.
  static constexpr std::size_t kNamesMax = 10'000;

  StaleNames(dns::Name zone, dns::DenialKind denial) : zone_(std::move(zone)), denial_(denial) {}

  /// A node's data changes from `before` to `after`; nothing: it does not exist.
  void Add(const std::optional<zone::Node>& before, const std::optional<zone::Node>& after);

  /// Returns what is stale once all changes are known and written to the generation: the wildcards that are still there
  /// are looked for. The apex always is: its SOA has a new serial.
  Result<std::vector<ChangedName>> Finish(const WriteTransaction& transaction, Generation generation) const;

 private:
  Result<bool> WildcardReaches(const WriteTransaction& transaction, Generation generation) const;

  const dns::Name zone_;
  const dns::DenialKind denial_;
  std::set<ChangedName> names_;
  std::set<dns::Name> parents_;  // of names that came or went, up to the apex
};

/// Tells readers what a transaction changes, in the ring that FORMAT.md describes.
Result<void> AppendChanges(WriteTransaction& transaction, const std::vector<ChangedName>& names);

}  // namespace idzone::replica
