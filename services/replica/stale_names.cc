// SPDX-License-Identifier: MIT
#include "services/replica/stale_names.h"

#include "services/core/base/limits.h"

namespace idzone::replica {
namespace {

/// Entries that are kept: at a hundred versions a second, one entry each, a reader may be away for half a minute.
constexpr std::uint64_t kEntriesKept = 4096;
/// Two entries share a page: larger ones would take pages of their own, which LMDB must find side by side.
constexpr std::size_t kEntryOctetsMax = 1800;
/// Scope and the name's size.
constexpr std::size_t kNameOverhead = 2;

bool IsCut(const std::optional<zone::Node>& node) {
  return node && node->Find(dns::RrType::kNs) != nullptr;
}

}  // namespace

void StaleNames::Add(const std::optional<zone::Node>& before, const std::optional<zone::Node>& after) {
  const dns::Name& owner = before ? before->owner : after->owner;
  if (owner == zone_) return;  // Finish has it
  if (names_.size() > kNamesMax) return;
  if (owner.IsWildcard()) {
    names_.insert({ChangeScope::kBelow, owner.Parent().wire()});
  } else if (IsCut(before) || IsCut(after)) {
    names_.insert({ChangeScope::kBelow, owner.wire()});
  } else {
    names_.insert({ChangeScope::kName, owner.wire()});
  }
  if (before && after) return;
  for (dns::Name parent = owner.Parent();; parent = parent.Parent()) {
    const bool met = !parents_.insert(parent).second;
    if (met || parent == zone_) return;
    // In an NSEC zone an empty non-terminal comes and goes without a node of its own.
    if (denial_ == dns::DenialKind::kNsec) names_.insert({ChangeScope::kName, parent.wire()});
  }
}

Result<bool> StaleNames::WildcardReaches(const WriteTransaction& transaction, Generation generation) const {
  for (const dns::Name& parent : parents_) {
    const auto wildcard = parent.Prepend("*");
    if (!wildcard) continue;  // no room for one
    const auto found = transaction.Get(Tree::kNode, EncodeNodeKey(generation, dns::DenialKeyOf(denial_, *wildcard, zone_)));
    if (!found) return tl::unexpected(found.error());
    if (*found) return true;
  }
  return false;
}

Result<std::vector<ChangedName>> StaleNames::Finish(const WriteTransaction& transaction, Generation generation) const {
  bool whole = names_.size() > kNamesMax;
  if (!whole) {
    const auto reaches = WildcardReaches(transaction, generation);
    if (!reaches) return tl::unexpected(reaches.error());
    whole = *reaches;
  }
  if (whole) return std::vector<ChangedName>{{ChangeScope::kBelow, zone_.wire()}};
  std::vector<ChangedName> names(names_.begin(), names_.end());
  names.push_back({ChangeScope::kName, zone_.wire()});
  return names;
}

Result<void> AppendChanges(WriteTransaction& transaction, const std::vector<ChangedName>& names) {
  std::uint64_t last = 0;
  {
    auto cursor = Cursor::Open(transaction, Tree::kChange);
    if (!cursor) return tl::unexpected(cursor.error());
    const auto entry = cursor->Last();
    if (!entry) return tl::unexpected(entry.error());
    if (*entry) {
      const auto sequence = DecodeSequence((*entry)->key);
      if (!sequence) return tl::unexpected(sequence.error());
      last = *sequence;
    }
  }
  std::size_t octets = 0;
  std::vector<ChangedName> part;
  const auto write = [&]() -> Result<void> {
    const Octets key = EncodeSequence(++last);
    if (auto put = transaction.Put(Tree::kChange, key, EncodeChangedNames(key, part)); !put) return put;
    part.clear();
    octets = 0;
    if (last <= kEntriesKept) return {};
    if (auto removed = transaction.Remove(Tree::kChange, EncodeSequence(last - kEntriesKept)); !removed)
      return tl::unexpected(removed.error());
    return {};
  };
  for (const ChangedName& changed : names) {
    part.push_back(changed);
    octets += kNameOverhead + changed.name.size();
    if (octets < kEntryOctetsMax - limits::kNameOctetsMax) continue;
    if (auto written = write(); !written) return written;
  }
  return part.empty() ? Result<void>() : write();
}

}  // namespace idzone::replica
