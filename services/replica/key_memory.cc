// SPDX-License-Identifier: MIT
#include "services/replica/key_memory.h"

#include "services/core/dns/dnskey.h"
#include "services/replica/follower_trust.h"

namespace idzone::replica {
namespace {

void Append(OctetWriter& writer, const std::vector<Octets>& list) {
  writer.U32(static_cast<std::uint32_t>(list.size()));
  for (const Octets& each : list) writer.U16Sized(each);
}

Octets DigestOf(const dns::RrSet& dnskeys, const std::vector<Octets>& pins) {
  Octets all;
  OctetWriter writer(all);
  writer.U32(dnskeys.ttl);
  Append(writer, dnskeys.rdatas);
  Append(writer, dnskeys.rrsigs);
  Append(writer, pins);
  return Sha256(all);
}

}  // namespace

Result<dns::SignatureVerifier> KeyMemory::Verify(const dns::Name& zone, const dns::RrSet& dnskeys, const std::vector<Octets>& pins,
                                                 UnixTime now) {
  Octets digest = DigestOf(dnskeys, pins);
  const auto known = verified_.find(zone);
  const bool verified = known != verified_.end() && known->second.digest == digest &&
                        dns::IsWithinPeriod(now, known->second.inception, known->second.expiration);
  if (!verified) {
    const auto rrsig = CheckKeys(zone, dnskeys, pins, now);
    if (!rrsig) return tl::unexpected(rrsig.error());
    if (verified_.size() == kZonesMax) verified_.clear();
    verified_.insert_or_assign(zone, Verified{std::move(digest), rrsig->inception, rrsig->expiration});
  }
  return Decode(zone, dnskeys.rdatas);
}

dns::SignatureVerifier KeyMemory::Decode(const dns::Name& zone, const std::vector<Octets>& dnskeys) {
  auto known = decoded_.find(dnskeys);
  if (known == decoded_.end()) {
    if (decoded_.size() == kKeySetsMax) decoded_.clear();
    known = decoded_.emplace(dnskeys, dns::SignatureVerifier(zone, dnskeys)).first;
  }
  return known->second.For(zone);
}

}  // namespace idzone::replica
