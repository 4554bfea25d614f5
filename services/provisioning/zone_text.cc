// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_text.h"

#include <algorithm>

#include "services/core/dns/denial.h"
#include "services/core/dns/presentation.h"

namespace idzone::provisioning {
namespace {

void AppendLine(std::string& text, const dns::Name& owner, dns::Ttl ttl, dns::RrType type, OctetsView rdata) {
  text += dns::FormatRecord(owner, ttl, type, rdata);
  text += '\n';
}

}  // namespace

void AppendNode(std::string& text, const dns::Name& zone, OctetsView denial_key, const zone::Node& node, dns::Ttl denial_ttl) {
  // Some readers want the SOA record first of all.
  if (const dns::RrSet* soa = node.Find(dns::RrType::kSoa); soa != nullptr)
    AppendLine(text, node.owner, soa->ttl, dns::RrType::kSoa, soa->rdatas.front());
  for (const dns::RrSet& rrset : node.rrsets) {
    for (const Octets& rdata : rrset.rdatas) {
      if (rrset.type != dns::RrType::kSoa) AppendLine(text, node.owner, rrset.ttl, rrset.type, rdata);
    }
    for (const Octets& rrsig : rrset.rrsigs) AppendLine(text, node.owner, rrset.ttl, dns::RrType::kRrsig, rrsig);
  }
  const dns::Name owner = dns::Nsec3Owner(denial_key, zone);
  const Octets nsec3 = dns::EncodeNsec3(node.denial.next, dns::DenialTypes(node.Types()));
  AppendLine(text, owner, denial_ttl, dns::RrType::kNsec3, nsec3);
  AppendLine(text, owner, denial_ttl, dns::RrType::kRrsig, node.denial.rrsig);
}

Result<dns::Ttl> DenialTtl(const zone::Node& apex) {
  const dns::RrSet* soa = apex.Find(dns::RrType::kSoa);
  if (soa == nullptr) return Fail(Reason::kRecordMalformed, "zone " + apex.owner.Format(), "an SOA record", "none");
  const auto fields = dns::ParseSoa(soa->rdatas.front());
  if (!fields) return tl::unexpected(fields.error());
  return std::min(soa->ttl, fields->minimum);
}

}  // namespace idzone::provisioning
