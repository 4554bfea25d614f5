// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/apex.h"

#include <algorithm>

#include "services/core/dns/presentation.h"
#include "zone-signer/pipeline/sweep.h"
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

/// Returns when the oldest signature of a published RRset was made; nothing when they are not by the keys that they should be by, or one
/// is of the future.
Result<std::optional<UnixTime>> SignedAt(const dns::RrSet& published, const keys::ZoneKeys& keys, const zone::ZonePolicy& policy,
                                         UnixTime now) {
  const auto fit = keys.AreSignedBy(published.rrsigs, published.type);
  if (!fit) return tl::unexpected(fit.error());
  if (!*fit) return std::nullopt;
  UnixTime oldest = now + policy.apex.resign;
  for (const Octets& rrsig : published.rrsigs) {
    const auto age = signing::SignatureAge(rrsig, now, policy.inception_offset);
    if (!age) return tl::unexpected(age.error());
    if (IsOfTheFuture(*age)) return std::nullopt;
    oldest = std::min(oldest, now - *age);
  }
  return oldest;
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
                                    const keys::ZoneKeys& keys, bool tell_parent, dns::Serial serial) {
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
                                 MakeRrSet(dns::RrType::kDnskey, policy.apex_ttl, keys.Dnskeys())};
  // PowerDNS makes this record itself in transfers, with the SOA's MINIMUM for its TTL; the signature must agree.
  if (registered.denial == dns::DenialKind::kNsec3)
    rrsets.push_back(MakeRrSet(dns::RrType::kNsec3Param, policy.negative_ttl, {dns::EncodeNsec3Param()}));
  if (tell_parent) {
    // RFC 7344 §3.1, §3.2: the records have the form of DS and DNSKEY.
    rrsets.push_back(MakeRrSet(dns::RrType::kCds, policy.apex_ttl, keys.DsRecords(zone)));
    rrsets.push_back(MakeRrSet(dns::RrType::kCdnskey, policy.apex_ttl, keys.CdnskeyRecords()));
  }
  return rrsets;
}

std::vector<dns::RrSet> DesiredDelegation(const dns::Name& zone, const store::NamespaceRow& registered, const zone::ZonePolicy& policy,
                                          const keys::ZoneKeys& keys) {
  // RFC 4035 §2.4: "A DS RRset SHOULD be present at a delegation point when the child zone is signed"; RFC 4034 §5: its TTL is the
  // delegation's.
  return {NameServers(registered, policy), MakeRrSet(dns::RrType::kDs, policy.apex_ttl, keys.DsRecords(zone))};
}

Result<UnixTime> RefreshApex(DraftNode& apex, const std::vector<dns::RrSet>& desired, const keys::ZoneKeys& keys,
                             const zone::ZonePolicy& policy, UnixTime now) {
  std::vector<dns::RrType> surplus;
  for (const dns::RrSet& rrset : apex.row.rrsets) {
    if (IsApexType(rrset.type) && FindType(desired, rrset.type) == nullptr) surplus.push_back(rrset.type);
  }
  for (const dns::RrType type : surplus) VersionDraft::SetRrSet(apex, type, nullptr);
  UnixTime due = now + policy.apex.resign;
  for (const dns::RrSet& rrset : desired) {
    if (rrset.type == dns::RrType::kSoa) continue;
    const dns::RrSet* published = FindType(apex.row.rrsets, rrset.type);
    const auto signed_at = published == nullptr || !dns::SameData(*published, rrset) ? Result<std::optional<UnixTime>>(std::nullopt)
                                                                                     : SignedAt(*published, keys, policy, now);
    if (!signed_at) return tl::unexpected(signed_at.error());
    if (!*signed_at || now - **signed_at >= policy.apex.resign) {
      VersionDraft::SetRrSet(apex, rrset.type, &rrset);
    } else {
      due = std::min(due, **signed_at + policy.apex.resign);
    }
  }
  return due;
}

}  // namespace idzone::signer::pipeline
