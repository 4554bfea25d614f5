// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_text.h"

#include <algorithm>

#include "services/core/dns/denial.h"
#include "services/core/dns/presentation.h"
#include "services/core/zone/denial_signatures.h"

namespace idzone::provisioning {
namespace {

void AppendLine(std::string& text, const dns::Name& owner, dns::Ttl ttl, dns::RrType type, OctetsView rdata) {
  text += dns::FormatRecord(owner, ttl, type, rdata);
  text += '\n';
}

}  // namespace

Result<void> AppendNode(std::string& text, const ExportedZone& zone, OctetsView denial_key, const zone::Node& node) {
  // Some readers want the SOA record first of all.
  if (const dns::RrSet* soa = node.Find(dns::RrType::kSoa); soa != nullptr)
    AppendLine(text, node.owner, soa->ttl, dns::RrType::kSoa, soa->rdatas.front());
  for (const dns::RrSet& rrset : node.rrsets) {
    for (const Octets& rdata : rrset.rdatas) {
      if (rrset.type != dns::RrType::kSoa) AppendLine(text, node.owner, rrset.ttl, rrset.type, rdata);
    }
    for (const Octets& rrsig : rrset.rrsigs) AppendLine(text, node.owner, rrset.ttl, dns::RrType::kRrsig, rrsig);
  }
  const auto denial = dns::MakeDenialRecord(zone.denial, zone.name, denial_key, node.denial.next, node.Types());
  if (!denial) return tl::unexpected(denial.error());
  AppendLine(text, denial->owner, zone.denial_ttl, denial->type, denial->rdata);
  for (const Octets& rrsig : zone::DecodeDenialSignatures(node.denial.rrsig))
    AppendLine(text, denial->owner, zone.denial_ttl, dns::RrType::kRrsig, rrsig);
  return {};
}

Result<dns::Ttl> DenialTtl(const zone::Node& apex) {
  const dns::RrSet* soa = apex.Find(dns::RrType::kSoa);
  if (soa == nullptr) return Fail(Reason::kRecordMalformed, "zone " + apex.owner.Format(), "an SOA record", "none");
  const auto fields = dns::ParseSoa(soa->rdatas.front());
  if (!fields) return tl::unexpected(fields.error());
  return std::min(soa->ttl, fields->minimum);
}

}  // namespace idzone::provisioning
