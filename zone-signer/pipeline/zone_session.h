// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "services/core/zone/policy.h"
#include "services/store/published_key.h"
#include "zone-signer/keys/key_store.h"
#include "zone-signer/keys/zone_keys.h"
#include "zone-signer/pipeline/clock_check.h"
#include "zone-signer/pipeline/version_draft.h"

namespace idzone::signer::pipeline {

/// A key set, ready to sign, and what its zones are to do with it.
struct OpenKeyset {
  keys::ZoneKeys keys;
  store::KeysetRow row;
};

/// One namespace inside one transaction, its own zone's row locked: that lock orders the versions of all its zones. What every
/// kind of work on it needs.
struct NamespaceSession {
  store::NamespaceRow registered;
  zone::ZonePolicy policy;
  store::ZoneRow own_zone;  // at the namespace's apex, as it was when it was locked
  keys::KeyStore& key_store;
  std::shared_ptr<const OpenKeyset> shared;  // none: each zone has keys of its own
  UnixTime now;

  const dns::Name& apex() const { return registered.apex; }
  dns::DenialKind denial() const { return registered.denial; }
};

/// One of its zones, and what its next version will say.
struct ZoneSession {
  ZoneSession(const NamespaceSession& namespace_session, store::ZoneRow row)
      : home(namespace_session), zone(std::move(row)), keyset(namespace_session.shared), apex_due(namespace_session.now) {}

  const NamespaceSession& home;
  store::ZoneRow zone;
  std::shared_ptr<const OpenKeyset> keyset;  // LoadKeysets gets those that are the zone's own
  VersionDraft draft;
  UnixTime apex_due;       // when the next apex signature must be made
  bool is_first = false;   // the draft is the zone's first version, at the serial and epoch that `zone` already has
  bool soa_due = false;    // there is to be a version even when nothing else changes
  bool row_moved = false;  // the zone's row is to be written even when there is no version
  /// How far the zone has followed its keyset; loaded only while the keyset is not settled (key_sweep.h).
  std::optional<store::ZoneKeysRow> followed;

  const dns::Name& apex() const { return zone.name; }
  dns::DenialKind denial() const { return home.denial(); }
  const keys::ZoneKeys& keys() const { return keyset->keys; }
  /// Returns the key of a name of the zone.
  dns::DenialKey KeyOf(const dns::Name& owner) const { return dns::DenialKeyOf(denial(), owner, apex()); }
};

/// The zones that a transaction looks at, by id; references stay valid.
class OpenZones {
 public:
  explicit OpenZones(const NamespaceSession& home) : home_(home) {}

  const NamespaceSession& home() const { return home_; }
  /// Returns the zone, adding it when it is not there yet.
  ZoneSession& Open(store::ZoneRow row);
  ZoneSession* Find(std::int32_t zone_id);
  std::map<std::int32_t, ZoneSession>& all() { return zones_; }

 private:
  const NamespaceSession& home_;
  std::map<std::int32_t, ZoneSession> zones_;
};

/// CLOCK_DOUBT when now is before the zone's last signature: signing with a wrong clock would make records that are invalid for
/// everybody else.
Result<void> CheckClock(const store::ZoneRow& zone, UnixTime now);

/// Returns the longest TTLs that the policy publishes: of DNSKEY, and of all else that is signed.
store::LongestTtlRow LongestTtlsOf(const zone::ZonePolicy& policy);

/// Gets the keys that the zones of a namespace share ready, whose own zone is locked or new. KEY_FILE_INVALID when one cannot be had or
/// is not the published one; NOT_FOUND when there are none.
Result<NamespaceSession> OpenNamespaceSession(store::Transaction& transaction, const store::NamespaceRow& registered,
                                              zone::ZonePolicy policy, store::ZoneRow own_zone, keys::KeyStore& keys, UnixTime now);

/// Locks the namespace's own zone and gets its keys ready. Nothing while another signer has it. CLOCK_DOUBT, KEY_FILE_INVALID.
Result<std::optional<NamespaceSession>> BeginNamespaceSession(store::Transaction& transaction, const store::ZoneWork& work,
                                                              keys::KeyStore& keys, UnixTime now);

/// Gets the keys of those open zones ready that have their own, and where they are missing. Errors: as OpenNamespaceSession.
Result<void> LoadKeysets(store::Transaction& transaction, OpenZones& zones);

/// Adds what was loaded to the drafts of its zones, which are open.
void AddToDrafts(OpenZones& zones, std::vector<store::NodeRow> rows);

/// Returns what the apex of a zone ought to say at that serial.
std::vector<dns::RrSet> ApexOf(const ZoneSession& zone, dns::Serial serial);

/// Loads the apexes that are not there yet, and with keys of their own the cuts to them in their parents (own_keys.h), and makes each say
/// what it ought to (apart from the SOA, which PublishVersions writes).
Result<void> DraftApexes(store::Transaction& transaction, OpenZones& zones);

}  // namespace idzone::signer::pipeline
