// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/key_sweep.h"

#include <algorithm>

#include "services/core/zone/denial_signatures.h"
#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/sweep.h"

namespace idzone::signer::pipeline {
namespace {

SweepLimits LimitsOf(const ZoneSession& zone, std::int64_t nodes_max) {
  const zone::ZonePolicy& policy = zone.home.policy;
  const auto period = zone.keyset->row.urgent ? kUrgentSweepPeriod : std::min(policy.identity.resign, policy.denial.resign);
  return {.period = period, .node_count = zone.zone.node_count, .nodes_max = nodes_max};
}

SweepState StateOf(const store::ZoneKeysRow& followed) {
  return {followed.sweep_place, followed.sweep_began};
}

bool IsSwept(const ZoneSession& zone) {
  return !zone.followed || zone.followed->swept_revision >= zone.keyset->row.data_revision;
}

/// At a cut, the DS records follow shared keys too; those of a zone with keys of its own are drafted with its apex (own_keys.h).
void RenewDelegation(const ZoneSession& zone, DraftNode& node) {
  if (node.row.owner == zone.apex() || zone.home.shared == nullptr) return;
  const auto ds =
      std::find_if(node.row.rrsets.begin(), node.row.rrsets.end(), [](const auto& rrset) { return rrset.type == dns::RrType::kDs; });
  if (ds == node.row.rrsets.end()) return;
  const NamespaceSession& home = zone.home;
  for (const dns::RrSet& wanted : DesiredDelegation(node.row.owner, home.registered, home.policy, zone.keys())) {
    if (wanted.type == dns::RrType::kDs && !dns::SameData(*ds, wanted)) return VersionDraft::SetRrSet(node, wanted.type, &wanted);
  }
}

/// Marks what other keys have signed than those that should.
Result<void> RenewLeft(const ZoneSession& zone, DraftNode& node) {
  const keys::ZoneKeys& keys = zone.keys();
  RenewDelegation(zone, node);
  for (dns::RrSet& rrset : node.row.rrsets) {
    // A delegation's NS records have no signatures (RFC 4035 §2.2); what is already marked has none either.
    if (IsApexType(rrset.type) || rrset.rrsigs.empty()) continue;
    const auto fit = keys.AreSignedBy(rrset.rrsigs, rrset.type);
    if (!fit) return tl::unexpected(fit.error());
    if (*fit) continue;
    rrset.rrsigs.clear();
    node.data_changed = true;
  }
  if (node.denial_changed) return {};
  const auto fit = keys.AreSignedBy(zone::DecodeDenialSignatures(node.row.denial.rrsig), dns::RrType::kNsec3);
  if (!fit) return tl::unexpected(fit.error());
  node.denial_changed = !*fit;
  return {};
}

}  // namespace

Result<void> LoadFollowed(store::Transaction& transaction, OpenZones& zones) {
  if (auto loaded = LoadKeysets(transaction, zones); !loaded) return loaded;
  std::vector<std::int32_t> missing;
  for (auto& [zone_id, zone] : zones.all()) {
    if (zone.followed || zone.keyset->row.settled) continue;
    missing.push_back(zone_id);
    zone.followed.emplace().zone_id = zone_id;
  }
  if (missing.empty()) return {};
  for (store::ZoneKeysRow& row : store::LoadZoneKeys(transaction, missing)) {
    const std::int32_t zone_id = row.zone_id;
    zones.Find(zone_id)->followed = std::move(row);
  }
  return {};
}

Result<std::int64_t> TakeKeySweepStep(store::Transaction& transaction, ZoneSession& zone, std::int64_t nodes_max) {
  if (IsSwept(zone)) return 0;
  store::ZoneKeysRow& followed = *zone.followed;
  if (followed.sweep_revision != zone.keyset->row.data_revision) {
    followed.sweep_revision = zone.keyset->row.data_revision;
    followed.sweep_place.clear();
    followed.sweep_began = zone.home.now;
  }
  const auto step = NextSweepStep(StateOf(followed), LimitsOf(zone, nodes_max), zone.home.now);
  if (!step) return 0;
  auto rows = store::LoadSweepRange(transaction, zone.zone.zone_id, zone.denial(), {step->after, step->through, nodes_max});
  if (!rows) return tl::unexpected(rows.error());
  const auto met = static_cast<std::int64_t>(rows->size());
  const bool full = met == nodes_max;
  followed.sweep_place = full ? store::SweepPlaceOf(zone.denial(), rows->back()) : step->through;
  for (store::NodeRow& row : *rows) {
    if (auto left = RenewLeft(zone, zone.draft.AddLoaded(std::move(row))); !left) return tl::unexpected(left.error());
  }
  if (!full && step->ends_round) {
    followed.swept_revision = followed.sweep_revision;
    followed.swept_position = {};  // RecordFollowed knows which
  }
  return met;
}

UnixTime NextKeySweepTime(const ZoneSession& zone, std::int64_t nodes_max) {
  if (IsSwept(zone)) return UnixTime::max();
  // One that has not begun, because only an enrollment came by.
  if (zone.followed->sweep_revision != zone.keyset->row.data_revision) return zone.home.now;
  return NextSweepTime(StateOf(*zone.followed), LimitsOf(zone, nodes_max));
}

void RecordFollowed(store::Transaction& transaction, OpenZones& zones) {
  std::vector<const store::ZoneKeysRow*> rows;
  for (auto& [zone_id, zone] : zones.all()) {
    if (!zone.followed) continue;
    store::ZoneKeysRow& followed = *zone.followed;
    const store::KeysetRow& keyset = zone.keyset->row;
    if (followed.keys_revision != keyset.revision) {
      followed.keys_position = zone.zone.position;
      if (const ZoneSession* parent = zone.home.shared == nullptr && zone.zone.parent_id ? zones.Find(*zone.zone.parent_id) : nullptr)
        followed.cut_position = parent->zone.position;
    }
    // A sweep that ended with this version.
    if (followed.swept_revision != 0 && followed.swept_position.serial == 0) followed.swept_position = zone.zone.position;
    followed.keys_revision = keyset.revision;
    rows.push_back(&followed);
  }
  store::SaveZoneKeys(transaction, rows);
}

}  // namespace idzone::signer::pipeline
