// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"

/// Authenticated denial of existence: NSEC (RFC 4034 §4), or NSEC3 with the parameters of RFC 9276: SHA-1, no iterations,
/// no salt, no opt-out ("1 0 0 -").
namespace idzone::dns {

/// Chosen when a namespace is created, never changed. The numbers are stored in PostgreSQL and sent on the wire.
enum class DenialKind : std::uint8_t { kNsec3 = 1, kNsec = 2 };

/// A name's place in the denial chain, compared as octets. NSEC3: 20 octets, the hash. NSEC: the canonical key.
using DenialKey = Octets;
inline constexpr std::size_t kNsec3HashOctets = 20;

/// Returns the key whose order as octets is the canonical order of the names of a zone (RFC 4034 §6.1): one 0x00, then
/// each label below the apex, from the right, with a 0x00 behind it. Worked example in the zone `z.`:
///   z. → 00 · a.z. → 00 61 00 · b.a.z. → 00 61 00 62 00 · aa.z. → 00 61 61 00
/// Requires: the owner is at or below the apex, and no label holds 0x00 (no layout makes one).
DenialKey CanonicalKey(const Name& owner, const Name& apex);

/// Returns the key of a name in a zone of that kind.
DenialKey DenialKeyOf(DenialKind kind, const Name& owner, const Name& apex);

/// Returns the name of a canonical key. ENCODING_MALFORMED for octets that are no name's key in that zone.
Result<Name> CanonicalName(OctetsView key, const Name& apex);

/// Returns the NSEC3 hash of a name (RFC 5155 §5, iterations 0, empty salt).
DenialKey Nsec3Hash(const Name& name);

/// Returns the owner name of an NSEC3 record: base32hex of the hash above the zone (RFC 5155 §3).
Name Nsec3Owner(OctetsView hash, const Name& zone);

/// Returns NSEC3 RDATA (RFC 5155 §3.2).
Octets EncodeNsec3(OctetsView next_hash, std::vector<RrType> types);

/// Returns NSEC RDATA (RFC 4034 §4.1). `next` is the wire form of a name.
Octets EncodeNsec(OctetsView next, std::vector<RrType> types);

/// What a denial record names next is, in NSEC3 records, the next key itself, in NSEC records the next name's wire form.
/// Requires: the key is one of that zone.
Octets DenialNextOf(DenialKind kind, const DenialKey& next_key, const Name& apex);
/// The reverse, from untrusted octets: ENCODING_MALFORMED for anything that is not the next of a record of that zone.
Result<DenialKey> KeyOfDenialNext(DenialKind kind, OctetsView next, const Name& apex);

/// Returns the RDATA of the apex NSEC3PARAM, "1 0 0 -" (RFC 5155 §4.2).
Octets EncodeNsec3Param();

/// Returns the types that the denial record of a name lists: what is there, RRSIG when anything is signed there.
/// It must equal what PowerDNS rebuilds. NSEC3: RRSIG is absent only at empty non-terminals and insecure delegations.
/// NSEC: RRSIG and NSEC are always there, because the NSEC record itself stands, and is signed, at the name (RFC 4035 §2.3).
std::vector<RrType> DenialTypes(DenialKind kind, std::vector<RrType> present);

/// A denial record, without TTL and signature. It is kept nowhere: it follows from the node that it stands for.
struct DenialRecord {
  Name owner;  // NSEC3: the hash above the zone; NSEC: the node's own name
  RrType type = RrType::kNsec3;
  Octets rdata;
};
/// Returns the denial record of the node at `key`, whose RRsets have the types `present` and whose chain goes on at
/// `next`. ENCODING_MALFORMED when `key` or `next` is none of that zone.
Result<DenialRecord> MakeDenialRecord(DenialKind kind, const Name& apex, OctetsView key, OctetsView next, std::vector<RrType> present);

}  // namespace idzone::dns
