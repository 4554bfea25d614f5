// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/own_keys.h"

#include <algorithm>
#include <set>

#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/key_roll.h"
#include "zone-signer/pipeline/key_sweep.h"

namespace idzone::signer::pipeline {
namespace {

/// Returns the zones below others of ours that have yet to take the revision of their own keys.
std::vector<ZoneSession*> Behind(OpenZones& zones) {
  std::vector<ZoneSession*> behind;
  if (zones.home().shared != nullptr) return behind;
  for (auto& [zone_id, zone] : zones.all()) {
    if (zone.zone.parent_id && zone.followed && zone.followed->keys_revision != zone.keyset->row.revision) behind.push_back(&zone);
  }
  return behind;
}

/// Opens the parents of zones; says whether any was not open.
Result<bool> OpenParents(store::Transaction& transaction, OpenZones& zones, const std::vector<ZoneSession*>& children) {
  std::set<std::int32_t> missing;
  for (const ZoneSession* child : children) {
    if (zones.Find(*child->zone.parent_id) == nullptr) missing.insert(*child->zone.parent_id);
  }
  auto rows = store::LoadZones(transaction, {missing.begin(), missing.end()});
  if (!rows) return tl::unexpected(rows.error());
  for (store::ZoneRow& row : *rows) zones.Open(std::move(row));
  return !missing.empty();
}

Result<void> DraftCut(ZoneSession& parent, const ZoneSession& child) {
  DraftNode* cut = parent.draft.Find(parent.KeyOf(child.apex()));
  if (cut == nullptr) return Fail(Reason::kNotFound, "cut " + child.apex().Format(), "a delegation in " + parent.apex().Format(), "none");
  const auto& rrsets = cut->row.rrsets;
  for (const dns::RrSet& wanted : DesiredDelegation(child.apex(), child.home.registered, child.home.policy, child.keys())) {
    const auto there = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == wanted.type; });
    if (there == rrsets.end() || !dns::SameData(*there, wanted)) VersionDraft::SetRrSet(*cut, wanted.type, &wanted);
  }
  return {};
}

}  // namespace

Result<FirstKeys> MakeFirstKeys(const store::NamespaceRow& registered, const zone::ZonePolicy& policy, keys::MadeKeys& keys) {
  using enum zone::KeyRole;
  FirstKeys first;
  std::vector<keys::ZoneKey> made;
  std::set<std::uint16_t> tags;
  for (const zone::KeyRole role : policy.keys.scheme == zone::KeyScheme::kSplit ? std::vector{kKsk, kZsk} : std::vector{kCsk}) {
    auto key = keys.Create(registered.algorithm, zone::DnskeyFlags(role), tags);
    if (!key) return tl::unexpected(key.error());
    made.push_back(keys::MakeZoneKey(*std::move(key), role, zone::AllUses(role)));
    tags.insert(made.back().key_tag);
    first.rows.push_back({.key_id = made.back().key.id(),
                          .key_tag = made.back().key_tag,
                          .dnskey = made.back().dnskey,
                          .role = role,
                          .state = zone::KeyState::kActive,
                          .uses = made.back().uses,
                          .part = 0});
  }
  first.keys = keys::ZoneKeys(std::move(made));
  return first;
}

void InsertFirstKeys(store::Transaction& transaction, const store::KeysetId& id, const zone::ZonePolicy& policy, const FirstKeys& first,
                     UnixTime now) {
  std::vector<rollover::RolledKey> keys;
  for (const store::KeyRow& row : first.rows) {
    store::InsertKey(transaction, id, row);
    keys.push_back(ToRolled(row));
  }
  const auto schedule = rollover::ScheduleFrom(keys, LivesOf(policy), now);
  store::InsertKeyset(transaction, id, LongestTtlsOf(policy), {schedule.keys_at, schedule.zsk_at});
}

Result<void> DraftOwnCuts(store::Transaction& transaction, OpenZones& zones) {
  std::vector<ZoneSession*> behind;
  // A parent that is opened may be behind itself; no zone is twice on the way up.
  for (bool opened = true; opened;) {
    if (auto followed = LoadFollowed(transaction, zones); !followed) return followed;
    behind = Behind(zones);
    const auto more = OpenParents(transaction, zones, behind);
    if (!more) return tl::unexpected(more.error());
    opened = *more;
  }
  std::vector<store::NodePlace> missing;
  for (const ZoneSession* child : behind) {
    ZoneSession& parent = *zones.Find(*child->zone.parent_id);
    dns::DenialKey key = parent.KeyOf(child->apex());
    const DraftNode* cut = parent.draft.Find(key);
    if (cut == nullptr || !cut->whole) missing.push_back({parent.zone.zone_id, std::move(key)});
  }
  auto loaded = store::LoadNodes(transaction, missing);
  if (!loaded) return tl::unexpected(loaded.error());
  AddToDrafts(zones, std::move(*loaded));
  for (const ZoneSession* child : behind) {
    if (auto drafted = DraftCut(*zones.Find(*child->zone.parent_id), *child); !drafted) return drafted;
  }
  return {};
}

}  // namespace idzone::signer::pipeline
