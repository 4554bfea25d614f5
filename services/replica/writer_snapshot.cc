// SPDX-License-Identifier: MIT
// The writer's snapshots: a new generation is filled beside the one that is served, then takes its place.
#include "services/replica/generation.h"
#include "services/replica/stale_names.h"
#include "services/replica/writer.h"

namespace idzone::replica {
namespace {

tl::unexpected<Error> Torn(const dns::Name& zone, std::string expected, std::string met) {
  return Fail(Reason::kVersionGap, "snapshot of " + zone.Format(), std::move(expected), std::move(met));
}

}  // namespace

Result<void> ReplicaWriter::BeginSnapshot(const dns::Name& zone, const zone::ZonePosition& position, dns::DenialKind denial) {
  if (auto abandoned = AbandonSnapshot(zone); !abandoned) return abandoned;
  // What an earlier flip could not remove, for want of room, must not lie there until the next start.
  if (leftovers_) {
    std::vector<Generation> spared;
    for (const auto& [name, filling] : fillings_) spared.push_back(filling.generation);
    if (auto removed = RemoveLeftovers(environment_, spared); !removed) return removed;
    leftovers_ = false;
  }
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  const auto generation = TakeNumber(*transaction);
  if (!generation) return tl::unexpected(generation.error());
  if (auto put = SetState(*transaction, *generation, GenerationState::kFilling); !put) return put;
  if (auto committed = transaction->Commit(); !committed) return committed;
  fillings_[zone] = Filling{.generation = *generation,
                            .position = position,
                            .denial = denial,
                            .first_key = {},
                            .last_key = {},
                            .last_next = {},
                            .has_apex = false};
  return {};
}

Result<void> ReplicaWriter::AddNodes(const dns::Name& zone, const std::vector<zone::NodeChange>& nodes) {
  const auto found = fillings_.find(zone);
  if (found == fillings_.end()) return Torn(zone, "a snapshot under way", "none");
  // Changed only when the nodes are durable.
  Filling filling = found->second;
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  for (const zone::NodeChange& change : nodes) {
    if (change.removed || !change.data || !change.denial) return Torn(zone, "whole nodes", "a part of one");
    if (filling.first_key.empty()) {
      filling.first_key = change.key;
    } else if (change.key <= filling.last_key || change.key != filling.last_next) {
      return Torn(zone, "the node that the chain names next, " + HexEncode(filling.last_next), HexEncode(change.key));
    }
    auto next = dns::KeyOfDenialNext(filling.denial, change.denial->next, zone);
    if (!next) return Torn(zone, "a next node of the zone", HexEncode(change.denial->next));
    filling.last_key = change.key;
    filling.last_next = *std::move(next);
    if (change.data->owner == zone) filling.has_apex = true;
    const Octets key = EncodeNodeKey(filling.generation, change.key);
    const zone::Node node{change.data->owner, change.data->rrsets, *change.denial};
    if (auto put = transaction->Put(Tree::kNode, key, EncodeNode(key, node)); !put) return put;
  }
  if (auto committed = transaction->Commit(); !committed) return committed;
  found->second = std::move(filling);
  return {};
}

Result<void> ReplicaWriter::Flip(WriteTransaction& transaction, const dns::Name& zone, const std::vector<Octets>& pins,
                                 std::vector<Generation>& old) {
  const auto found = fillings_.find(zone);
  if (found == fillings_.end()) return Torn(zone, "a snapshot under way", "none");
  const Filling& filling = found->second;
  if (!filling.has_apex) return Torn(zone, "the apex among its nodes", "none");
  if (filling.last_next != filling.first_key) return Torn(zone, "a closed denial chain", "one that ends at " + HexEncode(filling.last_key));
  const auto value = transaction.Get(Tree::kZone, zone.wire());
  if (!value) return tl::unexpected(value.error());
  ZoneRecord record;
  if (*value) {
    auto existing = DecodeZoneRecord(zone.wire(), **value);
    if (!existing) return tl::unexpected(existing.error());
    record = std::move(*existing);
    old.push_back(record.generation);
    if (auto put = SetState(transaction, record.generation, GenerationState::kRemoving); !put) return put;
  } else {
    const auto number = TakeNumber(transaction);
    if (!number) return tl::unexpected(number.error());
    record.number = *number;
    if (auto put = transaction.Put(Tree::kZoneNumber, EncodeNumber(*number), zone.wire()); !put) return put;
  }
  record.generation = filling.generation;
  record.position = filling.position;
  record.denial = filling.denial;
  if (auto put = transaction.Put(Tree::kZone, zone.wire(), EncodeZoneRecord(zone.wire(), record)); !put) return put;
  if (auto put = SetState(transaction, filling.generation, GenerationState::kLive); !put) return put;
  if (!pins.empty()) {
    if (auto put = transaction.Put(Tree::kPin, zone.wire(), EncodePins(zone.wire(), pins)); !put) return put;
  }
  return AppendChanges(transaction, {{ChangeScope::kZone, zone.wire()}});
}

void ReplicaWriter::FinishFlips(const std::vector<dns::Name>& zones, const std::vector<Generation>& old) {
  for (const dns::Name& zone : zones) fillings_.erase(zone);
  // The snapshots are live. What cannot be removed of the old generations now is removed at the next snapshot or start.
  for (const Generation generation : old) leftovers_ = !RemoveGeneration(environment_, generation) || leftovers_;
}

Result<void> ReplicaWriter::CommitSnapshot(const dns::Name& zone, const std::vector<Octets>& pins, const std::vector<dns::Name>& others) {
  if (!fillings_.contains(zone)) return Torn(zone, "a snapshot under way", "none");
  auto transaction = WriteTransaction::Begin(environment_);
  if (!transaction) return tl::unexpected(transaction.error());
  std::vector<dns::Name> zones{zone};
  std::vector<Generation> old;
  if (auto flipped = Flip(*transaction, zone, pins, old); !flipped) return flipped;
  for (const dns::Name& other : others) {
    if (auto flipped = Flip(*transaction, other, {}, old); !flipped) return flipped;
    zones.push_back(other);
  }
  if (auto committed = transaction->Commit(); !committed) return committed;
  FinishFlips(zones, old);
  return {};
}

Result<std::uint64_t> ReplicaWriter::CountNodes(const dns::Name& zone) const {
  ReadTransaction transaction(environment_);
  if (auto renewed = transaction.Renew(); !renewed) return tl::unexpected(renewed.error());
  const auto value = transaction.Get(Tree::kZone, zone.wire());
  if (!value) return tl::unexpected(value.error());
  if (!*value) return 0;
  const auto record = DecodeZoneRecord(zone.wire(), **value);
  if (!record) return tl::unexpected(record.error());
  auto cursor = Cursor::Open(transaction, Tree::kNode);
  if (!cursor) return tl::unexpected(cursor.error());
  const Octets prefix = EncodeNumber(record->generation);
  std::uint64_t count = 0;
  for (auto entry = cursor->Seek(prefix);; entry = cursor->Next(), ++count) {
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry || !(*entry)->key.starts_with(prefix)) return count;
  }
}

Result<void> ReplicaWriter::AbandonSnapshot(const dns::Name& zone) {
  const auto found = fillings_.find(zone);
  if (found == fillings_.end()) return {};
  const Generation generation = found->second.generation;
  fillings_.erase(found);
  return RemoveGeneration(environment_, generation);
}

}  // namespace idzone::replica
