// SPDX-License-Identifier: MIT
#include "services/replica/reader.h"

namespace idzone::replica {

Result<bool> Snapshot::Renew() {
  nodes_current_ = false;
  if (auto renewed = transaction_.Renew(); !renewed) return tl::unexpected(renewed.error());
  const bool changed = last_id_ != transaction_.id();
  last_id_ = transaction_.id();
  return changed;
}

void Snapshot::Release() {
  nodes_current_ = false;
  transaction_.Release();
}

Result<HeldZones> Snapshot::Zones() {
  auto cursor = Cursor::Open(transaction_, Tree::kZoneNumber);
  if (!cursor) return tl::unexpected(cursor.error());
  HeldZones held;
  for (auto entry = cursor->First();; entry = cursor->Next()) {
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) return held;
    const auto number = DecodeNumber((*entry)->key, "zone number");
    auto name = dns::Name::FromWire((*entry)->value, "zone of a number");
    if (!number || !name) {
      held.damages.push_back(number ? name.error() : number.error());
      continue;
    }
    auto record = FindZone(name->wire());
    if (record && !*record) record = Fail(Reason::kEncodingMalformed, "zone " + name->Format(), "a zone record", "none");
    if (!record) held.damages.push_back(record.error());
    held.zones.push_back({std::move(*name), *number, record ? std::move(*record) : std::nullopt});
  }
}

Result<std::optional<ZoneRecord>> Snapshot::FindZone(OctetsView apex) {
  const auto value = transaction_.Get(Tree::kZone, apex);
  if (!value) return tl::unexpected(value.error());
  if (!*value) return std::optional<ZoneRecord>();
  auto record = DecodeZoneRecord(apex, **value);
  if (!record) return tl::unexpected(record.error());
  return std::optional<ZoneRecord>(std::move(*record));
}

Result<std::optional<OctetsView>> Snapshot::FindApex(ZoneNumber number) {
  return transaction_.Get(Tree::kZoneNumber, EncodeNumber(number));
}

Result<Changes> Snapshot::ChangesAfter(std::uint64_t place) {
  Changes changes{.last = place, .gap = false, .names = {}};
  if (!transaction_.Has(Tree::kChange)) {
    changes.gap = true;
    return changes;
  }
  auto cursor = Cursor::Open(transaction_, Tree::kChange);
  if (!cursor) return tl::unexpected(cursor.error());
  for (auto entry = cursor->Seek(EncodeSequence(place + 1));; entry = cursor->Next()) {
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) return changes;
    const auto sequence = DecodeSequence((*entry)->key);
    const auto names = DecodeChangedNames((*entry)->key, (*entry)->value);
    changes.gap = changes.gap || !names || sequence != changes.last + 1;
    if (sequence) changes.last = *sequence;
    if (names) changes.names.insert(changes.names.end(), names->begin(), names->end());
  }
}

Result<Cursor*> Snapshot::Nodes() {
  if (!nodes_) {
    auto cursor = Cursor::Open(transaction_, Tree::kNode);
    if (!cursor) return tl::unexpected(cursor.error());
    nodes_.emplace(std::move(*cursor));
  } else if (!nodes_current_) {
    if (auto renewed = nodes_->Renew(transaction_); !renewed) return tl::unexpected(renewed.error());
  }
  nodes_current_ = true;
  return &*nodes_;
}

/// Returns nothing when the entry is not of that generation.
Result<std::optional<NodeView>> Snapshot::Decode(Generation generation, const std::optional<Cursor::Entry>& entry) {
  if (!entry || !entry->key.starts_with(EncodeNumber(generation))) return std::optional<NodeView>();
  auto node = DecodeNode(entry->key, entry->value);
  if (!node) return tl::unexpected(node.error());
  return std::optional<NodeView>(std::move(*node));
}

Result<std::optional<Place>> Snapshot::Find(Generation generation, OctetsView key) {
  const auto nodes = Nodes();
  if (!nodes) return tl::unexpected(nodes.error());
  const Octets wanted = EncodeNodeKey(generation, key);
  auto entry = (*nodes)->Seek(wanted);
  if (!entry) return tl::unexpected(entry.error());
  const bool exact = *entry && (*entry)->key == wanted;
  const bool names_below = !exact && *entry && (*entry)->key.starts_with(wanted);
  if (!exact) {
    // The covering node is the one before; before the first one, the last (RFC 5155 §3.1.7: the chain is a ring; so is NSEC's).
    entry = *entry ? (*nodes)->Previous() : (*nodes)->Last();
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry || !(*entry)->key.starts_with(EncodeNumber(generation))) {
      entry = (*nodes)->Seek(EncodeNodeKey(generation + 1, {}));
      if (!entry) return tl::unexpected(entry.error());
      entry = *entry ? (*nodes)->Previous() : (*nodes)->Last();
      if (!entry) return tl::unexpected(entry.error());
    }
  }
  auto node = Decode(generation, *entry);
  if (!node) return tl::unexpected(node.error());
  if (!*node) return std::optional<Place>();
  return std::optional<Place>(Place{std::move(**node), exact, names_below});
}

Result<std::optional<NodeView>> Snapshot::After(Generation generation, OctetsView key) {
  const auto nodes = Nodes();
  if (!nodes) return tl::unexpected(nodes.error());
  const Octets wanted = EncodeNodeKey(generation, key);
  auto entry = (*nodes)->Seek(wanted);
  if (entry && *entry && !key.empty() && (*entry)->key == wanted) entry = (*nodes)->Next();
  if (!entry) return tl::unexpected(entry.error());
  return Decode(generation, *entry);
}

}  // namespace idzone::replica
