// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/apex.h"

#include <algorithm>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/presentation.h"
#include "zone-signer/signing/batch_signer.h"

namespace idzone::signer::pipeline {
namespace {

std::uint32_t Seconds32(std::chrono::seconds duration) {
  return static_cast<std::uint32_t>(duration.count());
}

dns::RrSet MakeRrSet(dns::RrType type, dns::Ttl ttl, std::vector<Octets> rdatas) {
  dns::RrSet rrset{.type = type, .ttl = ttl, .rdatas = std::move(rdatas), .rrsigs = {}};
  dns::MakeCanonical(rrset);
  return rrset;
}

dns::RrSet NameServers(const store::NamespaceRow& registered, const zone::ZonePolicy& policy) {
  std::vector<Octets> servers;
  for (const dns::Name& server : registered.name_servers) servers.push_back(dns::EncodeNs(server));
  return MakeRrSet(dns::RrType::kNs, policy.apex_ttl, std::move(servers));
}

const dns::RrSet* FindType(const std::vector<dns::RrSet>& rrsets, dns::RrType type) {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

}  // namespace

bool IsApexType(dns::RrType type) {
  switch (type) {
    case dns::RrType::kSoa:
    case dns::RrType::kNs:
    case dns::RrType::kDnskey:
    case dns::RrType::kNsec3Param:
    case dns::RrType::kCds:
    case dns::RrType::kCdnskey: return true;
    default: return false;
  }
}

std::vector<dns::RrSet> DesiredApex(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                    const Octets& dnskey, dns::Serial serial) {
  const auto mailbox = zone.Prepend("hostmaster");
  IDZONE_INVARIANT(mailbox.has_value() && !registered.name_servers.empty(), "a namespace leaves room for labels and has name servers");
  const dns::SoaFields soa{.primary = registered.name_servers.front(),
                           .mailbox = *mailbox,
                           .serial = serial,
                           .refresh = Seconds32(policy.soa_refresh),
                           .retry = Seconds32(policy.soa_retry),
                           .expire = Seconds32(policy.soa_expire),
                           .minimum = policy.negative_ttl};
  std::vector<dns::RrSet> rrsets{NameServers(registered, policy), MakeRrSet(dns::RrType::kSoa, policy.negative_ttl, {dns::EncodeSoa(soa)}),
                                 MakeRrSet(dns::RrType::kDnskey, policy.apex_ttl, {dnskey})};
  // PowerDNS makes this record itself in transfers, with the SOA's MINIMUM for its TTL; the signature must agree.
  if (registered.denial == dns::DenialKind::kNsec3)
    rrsets.push_back(MakeRrSet(dns::RrType::kNsec3Param, policy.negative_ttl, {dns::EncodeNsec3Param()}));
  return rrsets;
}

std::vector<dns::RrSet> DesiredDelegation(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                          const Octets& dnskey) {
  // RFC 4035 §2.4: "A DS RRset SHOULD be present at a delegation point when the child zone is signed"; RFC 4034 §5: its TTL is the
  // delegation's.
  return {NameServers(registered, policy), MakeRrSet(dns::RrType::kDs, policy.apex_ttl, {dns::EncodeDs(zone, dnskey)})};
}

Result<UnixTime> RefreshApex(DraftNode& apex, const std::vector<dns::RrSet>& desired, const zone::ZonePolicy& policy, UnixTime now) {
  std::vector<dns::RrType> surplus;
  for (const dns::RrSet& rrset : apex.row.rrsets) {
    if (IsApexType(rrset.type) && FindType(desired, rrset.type) == nullptr) surplus.push_back(rrset.type);
  }
  for (const dns::RrType type : surplus) VersionDraft::SetRrSet(apex, type, nullptr);
  UnixTime due = now + policy.apex.resign;
  for (const dns::RrSet& rrset : desired) {
    if (rrset.type == dns::RrType::kSoa) continue;
    const dns::RrSet* published = FindType(apex.row.rrsets, rrset.type);
    if (published == nullptr || !dns::SameData(*published, rrset) || published->rrsigs.size() != 1) {
      VersionDraft::SetRrSet(apex, rrset.type, &rrset);
      continue;
    }
    const auto age = signing::SignatureAge(published->rrsigs.front(), now, policy.inception_offset);
    if (!age) return tl::unexpected(age.error());
    if (*age >= policy.apex.resign) {
      VersionDraft::SetRrSet(apex, rrset.type, &rrset);
    } else {
      due = std::min(due, now - *age + policy.apex.resign);
    }
  }
  return due;
}

}  // namespace idzone::signer::pipeline
