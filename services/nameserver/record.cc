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

AnswerRecord Signature(OctetsView rrsig, RrType covers, dns::Ttl ttl, const MakeContent& make) {
  return {.type = Code(RrType::kRrsig),
          .ttl = ttl,
          .expires = ExpiryOf(rrsig).value_or(0),
          .covers = Code(covers),
          .content = make(Code(RrType::kRrsig), rrsig)};
}

/// PowerDNS knows a cut by its NS records alone and wants them marked as what they are: not ours to vouch for.
bool IsAuthoritative(const replica::RrSetView& rrset, bool at_apex) {
  return rrset.type != RrType::kNs || at_apex;
}

}  // namespace

void AppendData(const replica::RrSetView& rrset, bool at_apex, const MakeContent& make, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  const std::uint16_t type = Code(rrset.type);
  for (const OctetsView rdata : rrset.rdatas)
    records.push_back({.type = type, .ttl = rrset.ttl, .authoritative = IsAuthoritative(rrset, at_apex), .content = make(type, rdata)});
}

void AppendType(const replica::RrSetView& rrset, bool at_apex, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  records.push_back({.type = Code(rrset.type), .ttl = rrset.ttl, .authoritative = IsAuthoritative(rrset, at_apex), .content = nullptr});
}

void AppendSignatures(const replica::RrSetView& rrset, const MakeContent& make, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  for (const OctetsView rrsig : rrset.rrsigs)
    if (Covers(rrsig, rrset.type)) records.push_back(Signature(rrsig, rrset.type, rrset.ttl, make));
}

void AppendDenialSignature(const replica::NodeView& node, RrType covered, dns::Ttl ttl, const MakeContent& make,
                           std::vector<AnswerRecord>& records) {
  zone::ForEachDenialSignature(node.denial_rrsig, [&](OctetsView rrsig) {
    if (Covers(rrsig, covered)) records.push_back(Signature(rrsig, covered, ttl, make));
  });
}

}  // namespace idzone::nameserver
