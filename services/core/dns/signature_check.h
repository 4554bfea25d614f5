// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"

namespace idzone::dns {

/// Checks an RRSIG with ldns, which shares no code with our signing path: sign-then-verify, and followers.
/// Returns SIGNATURE_INVALID when no key of `dnskeys` made it, when it is not valid at `now`, or when anything in it
/// does not fit the records. `owner` is the owner of the records; `type` may also be kNsec3.
/// Limits: allocates as ldns does, about 100 µs for P-256, somewhat more for Ed25519.
Result<void> CheckSignature(const Name& owner, RrType type, Ttl ttl, const std::vector<Octets>& rdatas, OctetsView rrsig_rdata,
                            const Name& zone, const std::vector<Octets>& dnskeys, UnixTime now);

/// Checks every signature of an RRset; one that has none is SIGNATURE_INVALID.
Result<void> CheckRrSet(const Name& owner, const RrSet& rrset, const Name& zone, const std::vector<Octets>& dnskeys, UnixTime now);

}  // namespace idzone::dns
