// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/signature_verifier.h"

/// What a follower has verified of its zones' keys. A version brings its zone's DNSKEY RRset each time, which changes a few times a
/// year: to verify it again, by ldns, and to decode its keys took three quarters of what a version of few names cost.
/// Threads: one.
namespace idzone::replica {

class KeyMemory {
 public:
  /// As CheckKeys (follower_trust.h); returns what verifies by these keys. What was verified before is not verified again while keys,
  /// signatures, TTL and pins are the same octets and `now` lies in the period of the signature that was verified.
  Result<dns::SignatureVerifier> Verify(const dns::Name& zone, const dns::RrSet& dnskeys, const std::vector<Octets>& pins, UnixTime now);

  /// Returns what verifies by keys that nobody has verified.
  dns::SignatureVerifier Decode(const dns::Name& zone, const std::vector<Octets>& dnskeys);

  /// Zones that are remembered, and sets of keys, of which a tree of the greatest width may have one a zone: some ten MiB. With one more
  /// the memory begins anew.
  static constexpr std::size_t kZonesMax = 16384;
  static constexpr std::size_t kKeySetsMax = 4608;

 private:
  struct Verified {
    Octets digest;  // of all that the verdict rests on but the time
    std::uint32_t inception = 0;
    std::uint32_t expiration = 0;
  };
  std::unordered_map<dns::Name, Verified> verified_;
  std::map<std::vector<Octets>, dns::SignatureVerifier> decoded_;
};

}  // namespace idzone::replica
