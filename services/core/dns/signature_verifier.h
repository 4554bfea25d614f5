// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"

namespace idzone::dns {

/// Verifies many RRSIGs of one zone: its keys are decoded once, the signed octets are our own canonical form, and OpenSSL
/// judges. For followers, which verify all that they apply; CheckSignature (signature_check.h) is the second opinion that
/// the signer asks, shares no code with us and takes three times as long.
/// Threads: any; a copy shares the keys.
class SignatureVerifier {
 public:
  /// Verifies nothing.
  SignatureVerifier() = default;
  /// Takes the zone's DNSKEY RDATA. Keys that may not sign zone data (RFC 4034 §2.1), are of another algorithm than 13 or
  /// 15, or cannot be decoded verify nothing.
  SignatureVerifier(Name zone, const std::vector<Octets>& dnskeys);

  /// Returns the same keys, decoded once, for another zone that has them too.
  SignatureVerifier For(Name zone) const;

  /// Checks one RRSIG over records in canonical order. SIGNATURE_INVALID when none of the keys made it, when it is not valid
  /// at `now`, or when anything in it does not fit the records; ENCODING_MALFORMED. `type` may also be kNsec3 or kNsec.
  Result<void> Check(const Name& owner, RrType type, Ttl ttl, const std::vector<Octets>& rdatas, OctetsView rrsig, UnixTime now) const;
  /// Checks every signature of an RRset; one that has none is SIGNATURE_INVALID.
  Result<void> CheckRrSet(const Name& owner, const RrSet& rrset, UnixTime now) const;

 private:
  struct Key;
  Name zone_;
  std::vector<std::shared_ptr<const Key>> keys_;
};

}  // namespace idzone::dns
