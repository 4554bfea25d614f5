// SPDX-License-Identifier: MIT
#include "services/replica/writer.h"

#include "services/replica/generation.h"
#include "services/replica/stale_names.h"

namespace idzone::replica {
namespace {

tl::unexpected<Error> Gap(const dns::Name& zone, std::string expected, std::string met) {
  return Fail(Reason::kVersionGap, "zone " + zone.Format(), std::move(expected), std::move(met));
}

template <typename Transaction>
Result<std::optional<ZoneRecord>> ReadZone(const Transaction& transaction, const dns::Name& zone) {
  const auto value = transaction.Get(Tree::kZone, zone.wire());
  if (!value) return tl::unexpected(value.error());
  if (!*value) return std::optional<ZoneRecord>();
  auto record = DecodeZoneRecord(zone.wire(), **value);
  if (!record) return tl::unexpected(record.error());
  return std::optional<ZoneRecord>(std::move(*record));
}

template <typename Transaction>
Result<std::optional<zone::Node>> ReadNodeAt(const Transaction& transaction, OctetsView key) {
  const auto value = transaction.Get(Tree::kNode, key);
  if (!value) return tl::unexpected(value.error());
  if (!*value) return std::optional<zone::Node>();
  const auto view = DecodeNode(key, **value);
  if (!view) return tl::unexpected(view.error());
  auto node = ToNode(*view);
  if (!node) return tl::unexpected(node.error());
  return std::optional<zone::Node>(std::move(*node));
}

Result<std::vector<Octets>> ReadPins(const ReadTransaction& transaction, const dns::Name& zone) {
  const auto value = transaction.Get(Tree::kPin, zone.wire());
  if (!value) return tl::unexpected(value.error());
  if (!*value) return std::vector<Octets>();
  return DecodePins(zone.wire(), **value);
}

Result<void> ApplyChange(WriteTransaction& transaction, const dns::Name& zone, Generation generation, const zone::NodeChange& change,
                         StaleNames& stale) {
  const Octets key = EncodeNodeKey(generation, change.key);
  const auto existing = ReadNodeAt(transaction, key);
  if (!existing) return tl::unexpected(existing.error());
  if (change.removed) {
    if (!*existing) return Gap(zone, "a node to remove at " + HexEncode(change.key), "none");
    stale.Add(*existing, std::nullopt);
    const auto removed = transaction.Remove(Tree::kNode, key);
    if (!removed) return tl::unexpected(removed.error());
    return {};
  }
  if (!*existing && !(change.data && change.denial)) return Gap(zone, "a node to change at " + HexEncode(change.key), "none");
  std::optional<zone::Node> node = *existing ? *existing : zone::Node();
  if (change.data) {
    node->owner = change.data->owner;
    node->rrsets = change.data->rrsets;
    stale.Add(*existing, node);
  }
  if (change.denial) node->denial = *change.denial;
  return transaction.Put(Tree::kNode, key, EncodeNode(key, *node));
}

Result<void> ApplyOne(WriteTransaction& transaction, const VersionWrite& version) {
  const dns::Name& zone = version.zone;
  auto record = ReadZone(transaction, zone);
  if (!record) return tl::unexpected(record.error());
  if (!*record || (*record)->position != version.previous)
    return Fail(Reason::kDigestMismatch, "zone " + zone.Format(), "a zone at serial " + std::to_string(version.previous.serial),
                *record ? "one at serial " + std::to_string((*record)->position.serial) : "none");
  StaleNames stale(zone, (*record)->denial);
  for (const zone::NodeChange& change : version.changes) {
    if (auto applied = ApplyChange(transaction, zone, (*record)->generation, change, stale); !applied) return applied;
  }
  const auto changed = stale.Finish(transaction, (*record)->generation);
  if (!changed) return tl::unexpected(changed.error());
  if (auto appended = AppendChanges(transaction, *changed); !appended) return appended;
  (*record)->position = version.next;
  if (!version.pins.empty()) {
    if (auto put = transaction.Put(Tree::kPin, zone.wire(), EncodePins(zone.wire(), version.pins)); !put) return put;
  }
  return transaction.Put(Tree::kZone, zone.wire(), EncodeZoneRecord(zone.wire(), **record));
}

}  // namespace

Result<std::unique_ptr<ReplicaWriter>> ReplicaWriter::Open(const std::string& directory, std::size_t map_octets) {
  auto environment = Environment::OpenForWriting(directory, map_octets);
  if (!environment) return tl::unexpected(environment.error());
  std::unique_ptr<ReplicaWriter> writer(new ReplicaWriter(std::move(*environment)));
  if (auto removed = RemoveLeftovers(writer->environment_, {}); !removed) return tl::unexpected(removed.error());
  return writer;
}

Result<std::vector<ZoneState>> ReplicaWriter::Zones() const {
  ReadTransaction transaction(environment_);
  if (auto renewed = transaction.Renew(); !renewed) return tl::unexpected(renewed.error());
  std::map<Octets, ZoneState> states;
  for (const Tree tree : {Tree::kZone, Tree::kPin}) {
    auto cursor = Cursor::Open(transaction, tree);
    if (!cursor) return tl::unexpected(cursor.error());
    for (auto entry = cursor->First();; entry = cursor->Next()) {
      if (!entry) return tl::unexpected(entry.error());
      if (!*entry) break;
      auto name = dns::Name::FromWire((*entry)->key, "zone");
      if (!name) return tl::unexpected(name.error());
      states[Octets((*entry)->key)].zone = std::move(*name);
    }
  }
  std::vector<ZoneState> zones;
  for (auto& [wire, state] : states) {
    const auto record = ReadZone(transaction, state.zone);
    if (!record) return tl::unexpected(record.error());
    if (*record) {
      state.position = (*record)->position;
      state.denial = (*record)->denial;
    }
    auto pins = ReadPins(transaction, state.zone);
    if (!pins) return tl::unexpected(pins.error());
    state.pins = std::move(*pins);
    zones.push_back(std::move(state));
  }
  return zones;
}

Result<std::optional<ZoneState>> ReplicaWriter::FindZone(const dns::Name& zone) const {
  ReadTransaction transaction(environment_);
  if (auto renewed = transaction.Renew(); !renewed) return tl::unexpected(renewed.error());
  const auto record = ReadZone(transaction, zone);
  if (!record) return tl::unexpected(record.error());
  auto pins = ReadPins(transaction, zone);
  if (!pins) return tl::unexpected(pins.error());
  if (!*record && pins->empty()) return std::optional<ZoneState>();
  ZoneState state{.zone = zone, .position = {}, .pins = std::move(*pins)};
  if (*record) {
    state.position = (*record)->position;
    state.denial = (*record)->denial;
  }
  return std::optional<ZoneState>(std::move(state));
}

Result<std::optional<zone::Node>> ReplicaWriter::ReadNode(const dns::Name& zone, const dns::DenialKey& key) const {
  ReadTransaction transaction(environment_);
  if (auto renewed = transaction.Renew(); !renewed) return tl::unexpected(renewed.error());
  const auto record = ReadZone(transaction, zone);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return std::optional<zone::Node>();
  return ReadNodeAt(transaction, EncodeNodeKey((*record)->generation, key));
}

Result<void> ReplicaWriter::ApplyVersions(const std::vector<VersionWrite>& versions, const std::vector<dns::Name>& replaced) {
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  for (const VersionWrite& version : versions) {
    if (auto applied = ApplyOne(*transaction, version); !applied) return applied;
  }
  std::vector<Generation> old;
  for (const dns::Name& zone : replaced) {
    if (auto flipped = Flip(*transaction, zone, {}, old); !flipped) return flipped;
  }
  if (auto committed = transaction->Commit(); !committed) return committed;
  FinishFlips(replaced, old);
  return {};
}

Result<void> ReplicaWriter::SetPins(const dns::Name& zone, const std::vector<Octets>& pins) {
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto put = transaction->Put(Tree::kPin, zone.wire(), EncodePins(zone.wire(), pins)); !put) return put;
  return transaction->Commit();
}

Result<void> ReplicaWriter::RemoveZone(const dns::Name& zone) {
  if (auto abandoned = AbandonSnapshot(zone); !abandoned) return abandoned;
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  const auto record = ReadZone(*transaction, zone);
  if (!record) return tl::unexpected(record.error());
  const auto unpinned = transaction->Remove(Tree::kPin, zone.wire());
  if (!unpinned) return tl::unexpected(unpinned.error());
  if (!*record) return transaction->Commit();
  for (const auto& [tree, key] : {std::pair(Tree::kZone, zone.wire()), std::pair(Tree::kZoneNumber, EncodeNumber((*record)->number))}) {
    if (auto removed = transaction->Remove(tree, key); !removed) return tl::unexpected(removed.error());
  }
  const Generation generation = (*record)->generation;
  if (auto put = SetState(*transaction, generation, GenerationState::kRemoving); !put) return put;
  if (auto appended = AppendChanges(*transaction, {{ChangeScope::kZone, zone.wire()}}); !appended) return appended;
  if (auto committed = transaction->Commit(); !committed) return committed;
  return RemoveGeneration(environment_, generation);
}

}  // namespace idzone::replica
