// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"
#include "services/core/zone/zone_key.h"
#include "zone-signer/keys/signing_key.h"

namespace idzone::signer::keys {

/// A key with what its zones do with it now.
struct ZoneKey {
  SigningKey key;
  Octets dnskey;  // RDATA as it is published: the flags follow from the role
  std::uint16_t key_tag = 0;
  zone::KeyUses uses;
};

/// Returns a key as one of that role is published.
ZoneKey MakeZoneKey(SigningKey key, zone::KeyRole role, const zone::KeyUses& uses);

/// The keys of a zone: what its apex says of them, and which of them signs what. The zones of a namespace share them.
/// Threads: const, may be shared.
class ZoneKeys {
 public:
  ZoneKeys() = default;
  explicit ZoneKeys(std::vector<ZoneKey> keys) : keys_(std::move(keys)) {}
  /// Returns a zone's only key: a combined one, active.
  static ZoneKeys Single(SigningKey key);

  const std::vector<ZoneKey>& all() const { return keys_; }
  /// Returns the DNSKEY RRset's records.
  std::vector<Octets> Dnskeys() const;
  /// Returns the records by which signatures can be checked: the published ones, and those of keys that sign before they
  /// are published or after they were withdrawn (RFC 6781 §4.1.4).
  std::vector<Octets> VerifyingDnskeys() const;
  /// Says whether a key signs RRsets of that type: keys that sign keys sign DNSKEY, CDS and CDNSKEY, because RFC 7344 §4.1
  /// wants CDS "signed with a key that is represented in both the current DNSKEY and DS RRsets".
  static bool Signs(const ZoneKey& key, dns::RrType type);
  /// Says whether those are the signatures that the type ought to have: one by each key that signs it, none by any other.
  /// ENCODING_MALFORMED when one is no RRSIG.
  Result<bool> AreSignedBy(const std::vector<Octets>& rrsigs, dns::RrType type) const;

  /// Returns the DS RDATA (SHA-256) that a parent must publish for a zone with these keys: ours at its cuts, the external one.
  std::vector<Octets> DsRecords(const dns::Name& zone) const;
  /// Returns the DNSKEY RDATA of the keys that DsRecords names: what CDNSKEY says (RFC 7344 §3.2).
  std::vector<Octets> CdnskeyRecords() const;

 private:
  std::vector<ZoneKey> keys_;
};

}  // namespace idzone::signer::keys
