// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"

/// NSEC3 with the parameters of RFC 9276: SHA-1, no iterations, no salt, no opt-out ("1 0 0 -").
namespace idzone::dns {

/// A name's place in the denial chain: 20 octets, the NSEC3 hash. Compared as octets.
using DenialKey = Octets;
inline constexpr std::size_t kNsec3HashOctets = 20;

/// Returns the NSEC3 hash of a name (RFC 5155 §5, iterations 0, empty salt).
DenialKey Nsec3Hash(const Name& name);

/// Returns the owner name of an NSEC3 record: base32hex of the hash above the zone (RFC 5155 §3).
Name Nsec3Owner(OctetsView hash, const Name& zone);

/// Returns NSEC3 RDATA (RFC 5155 §3.2).
Octets EncodeNsec3(OctetsView next_hash, std::vector<RrType> types);

/// Returns the RDATA of the apex NSEC3PARAM, "1 0 0 -" (RFC 5155 §4.2).
Octets EncodeNsec3Param();

/// Returns the types that the denial record of a name lists: what is there, RRSIG when anything is signed there.
/// It must equal what PowerDNS rebuilds: RRSIG is absent only at empty non-terminals and insecure delegations.
std::vector<RrType> DenialTypes(std::vector<RrType> present);

}  // namespace idzone::dns
