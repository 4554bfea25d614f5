// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/version_draft.h"

#include <algorithm>

namespace idzone::signer::pipeline {
namespace {

std::vector<dns::RrType> TypesOf(const std::vector<dns::RrSet>& rrsets) {
  std::vector<dns::RrType> types;
  for (const dns::RrSet& rrset : rrsets) types.push_back(rrset.type);
  return types;
}

}  // namespace

DraftNode& VersionDraft::AddLoaded(store::NodeRow row) {
  const auto [place, added] = nodes_.try_emplace(row.key);
  DraftNode& node = place->second;
  if (!added && node.whole) return node;
  // A neighbour's place in the chain may have changed already.
  if (!added) row.denial.next = node.row.denial.next;
  node.types = TypesOf(row.rrsets);
  node.row = std::move(row);
  node.whole = true;
  return node;
}

DraftNode& VersionDraft::AddNeighbour(const store::ChainRow& neighbour) {
  const auto [place, added] = nodes_.try_emplace(neighbour.key);
  if (added) {
    place->second.whole = false;
    place->second.types = neighbour.types;
    place->second.row.zone_id = neighbour.zone_id;
    place->second.row.key = neighbour.key;
    place->second.row.denial.next = neighbour.next;
    place->second.row.address = neighbour.address;
  }
  return place->second;
}

DraftNode& VersionDraft::Create(std::int32_t zone_id, const dns::DenialKey& key, const dns::Name& owner, std::int32_t child_count,
                                std::vector<dns::RrSet> rrsets) {
  const auto [place, added] = nodes_.try_emplace(key);
  IDZONE_INVARIANT(added, "a node that is created does not exist");
  DraftNode& node = place->second;
  node.types = TypesOf(rrsets);
  node.row = store::NodeRow{
      .zone_id = zone_id, .key = key, .owner = owner, .child_count = child_count, .rrsets = std::move(rrsets), .denial = {}, .address = {}};
  node.created = node.data_changed = node.denial_changed = true;
  return node;
}

DraftNode* VersionDraft::Find(const dns::DenialKey& key) {
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? nullptr : &found->second;
}

void VersionDraft::SetRrSet(DraftNode& node, dns::RrType type, const dns::RrSet* rrset) {
  auto& rrsets = node.row.rrsets;
  auto place = std::lower_bound(rrsets.begin(), rrsets.end(), type, [](const dns::RrSet& set, dns::RrType t) { return set.type < t; });
  const bool present = place != rrsets.end() && place->type == type;
  if (rrset == nullptr) {
    if (!present) return;
    rrsets.erase(place);
  } else if (present) {
    *place = *rrset;
  } else {
    rrsets.insert(place, *rrset);
  }
  node.data_changed = true;
  if (present != (rrset != nullptr)) node.denial_changed = true;
  node.types = TypesOf(rrsets);
}

bool VersionDraft::HasChanges() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& entry) {
    return entry.second.created || entry.second.removed || entry.second.data_changed || entry.second.denial_changed;
  });
}

std::vector<zone::NodeChange> MakeDelta(const VersionDraft& draft) {
  std::vector<zone::NodeChange> delta;
  for (const auto& [key, node] : draft.nodes()) {
    if (node.removed) {
      delta.push_back({.key = key, .removed = true, .data = {}, .denial = {}});
      continue;
    }
    if (!node.data_changed && !node.denial_changed) continue;
    zone::NodeChange change{.key = key, .removed = false, .data = {}, .denial = {}};
    if (node.data_changed) change.data = zone::NodeChange::Data{node.row.owner, node.row.rrsets};
    if (node.denial_changed) change.denial = node.row.denial;
    delta.push_back(std::move(change));
  }
  return delta;
}

}  // namespace idzone::signer::pipeline
