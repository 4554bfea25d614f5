// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "services/core/base/error.h"
#include "services/core/dns/rrset.h"

namespace idzone::zone {

/// How long the signatures of one class live, and how often they are renewed.
struct SignatureLife {
  std::chrono::seconds life;
  std::chrono::seconds resign;  // life >= 3 x resign, so that two missed renewals hurt nobody
};

/// The times of a zone. Signature life bounds revocation: a signed record can be replayed until its RRSIG expires.
struct ZonePolicy {
  std::string name;
  dns::Ttl ttl;            // of identity records
  dns::Ttl negative_ttl;   // SOA MINIMUM and TTL, and so the TTL of NSEC3 records (RFC 9077)
  dns::Ttl apex_ttl;       // NS, DNSKEY
  SignatureLife identity;  // TLSA, SSHFP and the like
  SignatureLife denial;    // NSEC3
  SignatureLife apex;      // SOA, NS, DNSKEY, NSEC3PARAM
  std::chrono::seconds soa_refresh;
  std::chrono::seconds soa_retry;
  std::chrono::seconds soa_expire;  // <= identity life - resign: a cut-off secondary goes silent, never stale
  /// Signatures begin this much in the past, for validators whose clock is slow.
  std::chrono::seconds inception_offset;
};

/// Returns "fast", "standard" or "relaxed"; ENUM_UNKNOWN for any other name.
Result<ZonePolicy> FindZonePolicy(std::string_view name);

}  // namespace idzone::zone
