// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_session.h"

#include <algorithm>

#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/key_sweep.h"

namespace idzone::signer::pipeline {
namespace {

/// Opens the keys that the zones use, each of which must be the one that is published.
Result<keys::ZoneKeys> OpenKeys(const store::Keyring& ring, keys::KeyStore& key_store, const std::string& subject) {
  std::vector<keys::ZoneKey> opened;
  bool keys_signed = false, data_signed = false;
  for (const store::KeyRow& row : ring.keys) {
    auto key = key_store.Load(row.key_id);
    if (!key) return tl::unexpected(key.error());
    opened.push_back(keys::MakeZoneKey(std::move(*key), row.role, row.uses));
    if (opened.back().dnskey != row.dnskey)
      return Fail(Reason::kKeyFileInvalid, subject, "the sealed key to be the published one", "another");
    keys_signed = keys_signed || (row.uses.signs_keys && row.uses.in_dnskey);
    data_signed = data_signed || (row.uses.signs_data && row.uses.in_dnskey);
  }
  if (!keys_signed || !data_signed)
    return Fail(Reason::kNotFound, subject, "published keys that sign keys and data", std::to_string(ring.keys.size()) + " keys");
  return keys::ZoneKeys(std::move(opened));
}

}  // namespace

ZoneSession& OpenZones::Open(store::ZoneRow row) {
  const std::int32_t zone_id = row.zone_id;
  return zones_.try_emplace(zone_id, home_, std::move(row)).first->second;
}

ZoneSession* OpenZones::Find(std::int32_t zone_id) {
  const auto found = zones_.find(zone_id);
  return found == zones_.end() ? nullptr : &found->second;
}

Result<void> CheckClock(const store::ZoneRow& zone, UnixTime now) {
  if (now >= zone.last_signed_at - kBehindMax) return {};
  return Fail(Reason::kClockDoubt, "zone " + zone.name.Format(), "a clock at or after its last signature",
              std::to_string((zone.last_signed_at - now).count()) + " s before it");
}

store::LongestTtlRow LongestTtlsOf(const zone::ZonePolicy& policy) {
  return {.keys = policy.apex_ttl, .data = std::max({policy.ttl, policy.negative_ttl, policy.apex_ttl}), .ds = 0};
}

Result<NamespaceSession> OpenNamespaceSession(store::Transaction& transaction, const store::NamespaceRow& registered,
                                              zone::ZonePolicy policy, store::ZoneRow own_zone, keys::KeyStore& keys, UnixTime now) {
  const auto ring = store::LoadKeyring(transaction, registered.namespace_id);
  if (!ring) return tl::unexpected(ring.error());
  auto opened = OpenKeys(*ring, keys, "namespace " + registered.apex.Format());
  if (!opened) return tl::unexpected(opened.error());
  const store::LongestTtlRow ttls = LongestTtlsOf(policy);
  if (ttls.keys > ring->keyset.ttls.keys || ttls.data > ring->keyset.ttls.data)
    store::RaiseLongestTtls(transaction, registered.namespace_id, ttls);
  return NamespaceSession{registered, std::move(policy), std::move(own_zone), std::move(*opened), ring->keyset, now};
}

Result<std::optional<NamespaceSession>> BeginNamespaceSession(store::Transaction& transaction, const store::ZoneWork& work,
                                                              keys::KeyStore& keys, UnixTime now) {
  auto zone = store::LockZone(transaction, work.zone->zone_id);
  if (!zone) return tl::unexpected(zone.error());
  if (!*zone) return std::nullopt;
  if (auto checked = CheckClock(**zone, now); !checked) return tl::unexpected(checked.error());
  auto opened = OpenNamespaceSession(transaction, work.registered, work.registered.policy, std::move(**zone), keys, now);
  if (!opened) return tl::unexpected(opened.error());
  return std::move(*opened);
}

void AddToDrafts(OpenZones& zones, std::vector<store::NodeRow> rows) {
  for (store::NodeRow& row : rows) {
    ZoneSession* zone = zones.Find(row.zone_id);
    IDZONE_INVARIANT(zone != nullptr, "nodes are loaded of zones that are open");
    zone->draft.AddLoaded(std::move(row));
  }
}

std::vector<dns::RrSet> ApexOf(const ZoneSession& zone, dns::Serial serial) {
  const NamespaceSession& home = zone.home;
  // We are the parent of all but the namespace's own zone.
  const bool tell_parent = home.keyset.tell_parent && zone.apex() == home.apex();
  return DesiredApex(zone.apex(), home.registered, home.policy, home.keys, tell_parent, serial);
}

Result<void> DraftApexes(store::Transaction& transaction, OpenZones& zones) {
  if (auto followed = LoadFollowed(transaction, zones); !followed) return followed;
  std::vector<store::NodePlace> missing;
  for (auto& [zone_id, zone] : zones.all()) {
    dns::DenialKey key = zone.KeyOf(zone.apex());
    if (zone.draft.Find(key) == nullptr) missing.push_back({zone_id, std::move(key)});
  }
  auto loaded = store::LoadNodes(transaction, missing);
  if (!loaded) return tl::unexpected(loaded.error());
  AddToDrafts(zones, std::move(*loaded));
  for (auto& [zone_id, zone] : zones.all()) {
    DraftNode* apex = zone.draft.Find(zone.KeyOf(zone.apex()));
    if (apex == nullptr) return Fail(Reason::kNotFound, "zone " + zone.apex().Format(), "an apex node", "none");
    const NamespaceSession& home = zone.home;
    auto due = RefreshApex(*apex, ApexOf(zone, zone.zone.position.serial), home.keys, home.policy, home.now);
    if (!due) return tl::unexpected(due.error());
    zone.apex_due = *due;
  }
  return {};
}

}  // namespace idzone::signer::pipeline
