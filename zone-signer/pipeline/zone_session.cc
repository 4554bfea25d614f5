// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_session.h"

#include "zone-signer/pipeline/apex.h"

namespace idzone::signer::pipeline {

ZoneSession& OpenZones::Open(store::ZoneRow row) {
  const std::int32_t zone_id = row.zone_id;
  return zones_.try_emplace(zone_id, home_, std::move(row)).first->second;
}

ZoneSession* OpenZones::Find(std::int32_t zone_id) {
  const auto found = zones_.find(zone_id);
  return found == zones_.end() ? nullptr : &found->second;
}

Result<void> CheckClock(const store::ZoneRow& zone, UnixTime now) {
  if (now >= zone.last_signed_at - kClockDoubt) return {};
  return Fail(Reason::kClockDoubt, "zone " + zone.name.Format(), "a clock at or after its last signature",
              std::to_string((zone.last_signed_at - now).count()) + " s before it");
}

Result<std::optional<NamespaceSession>> BeginNamespaceSession(store::Transaction& transaction, const store::ZoneWork& work,
                                                              keys::KeyDirectory& keys, UnixTime now) {
  const std::string subject = "zone " + work.registered.apex.Format();
  auto policy = zone::FindZonePolicy(work.registered.policy);
  if (!policy) return tl::unexpected(policy.error());
  auto zone = store::LockZone(transaction, work.zone->zone_id);
  if (!zone) return tl::unexpected(zone.error());
  if (!*zone) return std::nullopt;
  if (auto checked = CheckClock(**zone, now); !checked) return tl::unexpected(checked.error());
  const auto published = store::FindKey(transaction, work.registered.namespace_id);
  if (!published) return tl::unexpected(published.error());
  if (!*published) return Fail(Reason::kNotFound, subject, "a key in published.key", "none");
  auto key = keys.Load((*published)->key_id);
  if (!key) return tl::unexpected(key.error());
  if (key->dnskey() != (*published)->dnskey)
    return Fail(Reason::kKeyFileInvalid, subject, "the sealed key to be the published one", "another");
  return NamespaceSession{work.registered, std::move(*policy), std::move(**zone), std::move(*key), now};
}

Result<void> LoadIntoDrafts(store::Transaction& transaction, OpenZones& zones, const std::vector<store::NodePlace>& places) {
  auto rows = store::LoadNodes(transaction, places);
  if (!rows) return tl::unexpected(rows.error());
  for (store::NodeRow& row : *rows) {
    ZoneSession* zone = zones.Find(row.zone_id);
    IDZONE_INVARIANT(zone != nullptr, "nodes are loaded of zones that are open");
    zone->draft.AddLoaded(std::move(row));
  }
  return {};
}

Result<void> DraftApexes(store::Transaction& transaction, OpenZones& zones) {
  std::vector<store::NodePlace> missing;
  for (auto& [zone_id, zone] : zones.all()) {
    dns::DenialKey key = zone.KeyOf(zone.apex());
    if (zone.draft.Find(key) == nullptr) missing.push_back({zone_id, std::move(key)});
  }
  if (auto loaded = LoadIntoDrafts(transaction, zones, missing); !loaded) return loaded;
  for (auto& [zone_id, zone] : zones.all()) {
    DraftNode* apex = zone.draft.Find(zone.KeyOf(zone.apex()));
    if (apex == nullptr) return Fail(Reason::kNotFound, "zone " + zone.apex().Format(), "an apex node", "none");
    const NamespaceSession& home = zone.home;
    const auto desired = DesiredApex(zone.apex(), home.registered, home.policy, home.key.dnskey(), zone.zone.position.serial);
    auto due = RefreshApex(*apex, desired, home.policy, home.now);
    if (!due) return tl::unexpected(due.error());
    zone.apex_due = *due;
  }
  return {};
}

}  // namespace idzone::signer::pipeline
