// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/base/octets.h"
#include "services/core/dns/rr_type.h"

namespace idzone::dns {

/// A time to live, in seconds, at most 2^31-1 (RFC 2181 §8).
using Ttl = std::uint32_t;

/// All records of one type at one name, with their signatures. RDATA is wire form in canonical form (RFC 4034 §6.2:
/// names inside are lower case, uncompressed).
struct RrSet {
  RrType type = RrType::kTlsa;
  Ttl ttl = 0;
  std::vector<Octets> rdatas;  // sorted as octet strings, no duplicates (RFC 4034 §6.3)
  std::vector<Octets> rrsigs;  // RRSIG RDATA, wire form

  friend bool operator==(const RrSet&, const RrSet&) = default;
};

/// Sorts and removes duplicates: the canonical RRset of RFC 4034 §6.3.
void MakeCanonical(RrSet& rrset);

/// Says whether two RRsets state the same data; signatures do not count.
bool SameData(const RrSet& left, const RrSet& right);

/// The fixed fields of an RRSIG's RDATA (RFC 4034 §3.1).
struct RrsigFields {
  RrType type_covered = RrType::kTlsa;
  std::uint8_t algorithm = 0;
  std::uint8_t labels = 0;
  Ttl original_ttl = 0;
  std::uint32_t expiration = 0;
  std::uint32_t inception = 0;
  std::uint16_t key_tag = 0;
  Octets signer;  // wire form
  Octets signature;
};

/// Says whether a signature of that period holds at `now`: RFC 4034 §3.1.5, times are compared with serial number arithmetic.
bool IsWithinPeriod(UnixTime now, std::uint32_t inception, std::uint32_t expiration);

/// Reads RRSIG RDATA. ENCODING_MALFORMED when it is not one.
Result<RrsigFields> ParseRrsig(OctetsView rdata);
/// Returns the RDATA without the signature: what is hashed first (RFC 4034 §3.1.8.1).
Octets EncodeRrsigPrefix(const RrsigFields& fields);

/// Returns the octets that an RRSIG signs: its RDATA without the signature, then each record in canonical form with
/// the original TTL. A wildcard owner stays as it is: we sign at the owner (RFC 4034 §3.1.8.1).
/// `owner` is wire form, lower case; `type` may also be kNsec3.
Octets EncodeSignedData(const RrsigFields& fields, OctetsView owner, RrType type, const std::vector<Octets>& rdatas);

}  // namespace idzone::dns
