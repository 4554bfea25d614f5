// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_session.h"

#include <algorithm>

#include "zone-signer/pipeline/apex.h"
#include "zone-signer/pipeline/own_keys.h"

namespace idzone::signer::pipeline {
namespace {

/// Opens the keys of a set, each of which must be the one that is published.
Result<std::shared_ptr<const OpenKeyset>> OpenKeys(const store::Keyring& ring, keys::KeyStore& key_store, const std::string& subject) {
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
  return std::make_shared<const OpenKeyset>(keys::ZoneKeys(std::move(opened)), ring.keyset);
}

using Keysets = std::map<std::int32_t, std::shared_ptr<const OpenKeyset>>;

/// Opens sets, each named for whom it signs. Each is there afterwards.
Result<Keysets> OpenKeysets(store::Transaction& transaction, const NamespaceSession& home,
                            const std::vector<std::pair<std::int32_t, const dns::Name*>>& wanted) {
  std::vector<std::int32_t> zone_ids;
  for (const auto& [zone_id, name] : wanted) zone_ids.push_back(zone_id);
  const auto rings = store::LoadKeyrings(transaction, home.registered.namespace_id, zone_ids);
  if (!rings) return tl::unexpected(rings.error());
  const store::LongestTtlRow ttls = LongestTtlsOf(home.policy);
  Keysets keysets;
  for (const auto& [zone_id, name] : wanted) {
    const auto ring = rings->find(zone_id);
    auto opened = OpenKeys(ring == rings->end() ? store::Keyring() : ring->second, home.key_store, "keys of " + name->Format());
    if (!opened) return tl::unexpected(opened.error());
    if (ttls.keys > (*opened)->row.ttls.keys || ttls.data > (*opened)->row.ttls.data)
      store::RaiseLongestTtls(transaction, {home.registered.namespace_id, zone_id}, ttls);
    keysets.emplace(zone_id, *std::move(opened));
  }
  return keysets;
}

}  // namespace

Result<void> LoadKeysets(store::Transaction& transaction, OpenZones& zones) {
  std::vector<std::pair<std::int32_t, const dns::Name*>> missing;
  for (const auto& [zone_id, zone] : zones.all()) {
    if (zone.keyset == nullptr) missing.emplace_back(zone_id, &zone.apex());
  }
  if (missing.empty()) return {};
  const auto keysets = OpenKeysets(transaction, zones.home(), missing);
  if (!keysets) return tl::unexpected(keysets.error());
  for (const auto& [zone_id, keyset] : *keysets) zones.Find(zone_id)->keyset = keyset;
  return {};
}

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
              std::to_string((zone.last_signed_at - now).count()) +
                  " s before it: put the clock right, or say that it is (idzone zone trust-clock)");
}

store::LongestTtlRow LongestTtlsOf(const zone::ZonePolicy& policy) {
  return {.keys = policy.apex_ttl, .data = std::max({policy.ttl, policy.negative_ttl, policy.apex_ttl}), .ds = 0};
}

Result<NamespaceSession> OpenNamespaceSession(store::Transaction& transaction, const store::NamespaceRow& registered,
                                              zone::ZonePolicy policy, store::ZoneRow own_zone, keys::KeyStore& keys, UnixTime now) {
  NamespaceSession home{registered, std::move(policy), std::move(own_zone), keys, nullptr, now};
  if (home.policy.keys.scope == zone::KeyScope::kZone) return home;
  auto opened = OpenKeysets(transaction, home, {{0, &registered.apex}});
  if (!opened) return tl::unexpected(opened.error());
  home.shared = opened->at(0);
  return home;
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
  const bool tell_parent = zone.keyset->row.tell_parent && zone.apex() == home.apex();
  return DesiredApex(zone.apex(), home.registered, home.policy, zone.keys(), tell_parent, serial);
}

Result<void> DraftApexes(store::Transaction& transaction, OpenZones& zones) {
  if (auto drafted = DraftOwnCuts(transaction, zones); !drafted) return drafted;
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
    auto due = RefreshApex(*apex, ApexOf(zone, zone.zone.position.serial), zone.keys(), home.policy, home.now);
    if (!due) return tl::unexpected(due.error());
    zone.apex_due = *due;
  }
  return {};
}

}  // namespace idzone::signer::pipeline
