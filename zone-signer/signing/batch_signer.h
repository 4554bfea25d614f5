// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"
#include "zone-signer/keys/zone_keys.h"

/// Making RRSIG records, many at a time. Our own encoding is signed with OpenSSL; a sample of the results is verified
/// with ldns against the DNSKEY records that the zone publishes, which catches a wrong key, a wrong encoding and broken
/// memory before anybody else sees them.
namespace idzone::signer::signing {

/// What is signed, and its signature once BatchSigner::Sign returned.
struct SigningJob {
  dns::Name owner;
  dns::RrType type = dns::RrType::kTlsa;  // kNsec3 too
  dns::Ttl ttl = 0;
  std::vector<Octets> rdatas;  // canonical order
  std::chrono::seconds life{};
  std::vector<Octets> rrsigs;  // result: RRSIG RDATA, one by each key that signs the type
  std::size_t zone = 0;        // which of the zones it belongs to
};

struct ZoneSigning {
  const dns::Name& zone;
  const keys::ZoneKeys& keys;
  /// What signatures are verified by: the apex's own DNSKEY records, and those of keys that it does not show.
  const std::vector<Octets>& dnskeys;
  UnixTime now;
  std::chrono::seconds inception_offset;
};

class BatchSigner {
 public:
  /// `verify_every`: after the first signature of each key, every how many jobs are verified; 1 verifies all.
  /// Requires: both at least 1.
  BatchSigner(int threads, int verify_every);

  /// Told on the caller's thread how many of the jobs, from the first one on, are signed by now: more each time, all of them in the
  /// end. Meanwhile other threads sign the rest, so that what it does with them costs no time of its own. An error ends the signing.
  using Progress = std::function<Result<void>(std::size_t signed_jobs)>;

  /// Signs all jobs, of one or many zones. INTERNAL (OpenSSL), SIGNATURE_INVALID (the verification) or what `progress` returned: then
  /// nothing may be published, nor what `progress` was told of.
  Result<void> Sign(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs, const Progress& progress) const;
  Result<void> Sign(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs) const {
    return Sign(zones, jobs, [](std::size_t) { return Result<void>(); });
  }
  Result<void> Sign(const ZoneSigning& zone, std::span<SigningJob> jobs) const { return Sign(std::span(&zone, 1), jobs); }

 private:
  int threads_;
  std::size_t verify_every_;
};

/// Returns how long ago an RRSIG was made, by its inception. Negative when it is of the future.
/// ENCODING_MALFORMED for anything but an RRSIG.
Result<std::chrono::seconds> SignatureAge(OctetsView rrsig, UnixTime now, std::chrono::seconds inception_offset);
/// Returns how long an RRSIG is still valid. Negative when it has expired.
Result<std::chrono::seconds> SignatureRest(OctetsView rrsig, UnixTime now);

}  // namespace idzone::signer::signing
