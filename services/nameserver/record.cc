// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/record.h"

#include "services/core/dns/rr_type.h"
#include "services/core/zone/denial_signatures.h"
#include "services/nameserver/expiry.h"

namespace idzone::nameserver {
namespace {

using dns::RrType;

/// The last gate before the wire. The reader leaves forbidden types out; were it ever to miss one, it must not leave.
bool MayLeave(const replica::RrSetView& rrset) {
  return dns::AllowedRrType(Code(rrset.type)).has_value();
}

/// An RRSIG's first two octets say what it covers (RFC 4034 §3.1.1); one that covers something else is not this one's.
bool Covers(OctetsView rrsig, RrType type) {
  OctetReader reader(rrsig);
  const std::uint16_t covered = reader.U16();
  return reader.ok() && covered == Code(type);
}

AnswerRecord Signature(OctetsView rrsig, dns::Ttl ttl, const MakeContent& make) {
  return {Code(RrType::kRrsig), ttl, true, ExpiryOf(rrsig).value_or(0), make(Code(RrType::kRrsig), rrsig)};
}

}  // namespace

void AppendData(const replica::RrSetView& rrset, bool at_apex, const MakeContent& make, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  // PowerDNS knows a cut by its NS records alone and wants them marked as what they are: not ours to vouch for.
  const bool authoritative = rrset.type != RrType::kNs || at_apex;
  const std::uint16_t type = Code(rrset.type);
  for (const OctetsView rdata : rrset.rdatas) records.push_back({type, rrset.ttl, authoritative, 0, make(type, rdata)});
}

void AppendSignatures(const replica::RrSetView& rrset, const MakeContent& make, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  for (const OctetsView rrsig : rrset.rrsigs)
    if (Covers(rrsig, rrset.type)) records.push_back(Signature(rrsig, rrset.ttl, make));
}

void AppendDenialSignature(const replica::NodeView& node, RrType covered, dns::Ttl ttl, const MakeContent& make,
                           std::vector<AnswerRecord>& records) {
  zone::ForEachDenialSignature(node.denial_rrsig, [&](OctetsView rrsig) {
    if (Covers(rrsig, covered)) records.push_back(Signature(rrsig, ttl, make));
  });
}

}  // namespace idzone::nameserver
