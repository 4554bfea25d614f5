// SPDX-License-Identifier: MIT
// An ldns bridge file.
#include "services/core/dns/signature_check.h"

#include <ldns/ldns.h>

#include <memory>

#include "services/core/dns/dnskey.h"

namespace idzone::dns {
namespace {

struct RrFree {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct RrListFree {
  void operator()(ldns_rr_list* list) const { ldns_rr_list_deep_free(list); }
};
using RrPointer = std::unique_ptr<ldns_rr, RrFree>;
using RrListPointer = std::unique_ptr<ldns_rr_list, RrListFree>;

RrPointer MakeRr(const Name& owner, RrType type, Ttl ttl, OctetsView rdata) {
  Octets wire = owner.wire();
  OctetWriter writer(wire);
  writer.U16(static_cast<std::uint16_t>(type));
  writer.U16(1);
  writer.U32(ttl);
  writer.U16Sized(rdata);
  ldns_rr* rr = nullptr;
  std::size_t position = 0;
  const auto status = ldns_wire2rr(&rr, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &position, LDNS_SECTION_ANSWER);
  return RrPointer(status == LDNS_STATUS_OK && position == wire.size() ? rr : nullptr);
}

RrListPointer MakeRrs(const Name& owner, RrType type, Ttl ttl, const std::vector<Octets>& rdatas) {
  RrListPointer list(ldns_rr_list_new());
  for (const Octets& rdata : rdatas) {
    RrPointer rr = MakeRr(owner, type, ttl, rdata);
    if (rr == nullptr || !ldns_rr_list_push_rr(list.get(), rr.get())) return nullptr;
    static_cast<void>(rr.release());  // the list owns it now
  }
  return list;
}

std::string Subject(const Name& owner, RrType type) {
  return "RRSIG of " + owner.Format() + " " + RrTypeName(type);
}

}  // namespace

Result<void> CheckSignature(const Name& owner, RrType type, Ttl ttl, const std::vector<Octets>& rdatas, OctetsView rrsig_rdata,
                            const Name& zone, const std::vector<Octets>& dnskeys, UnixTime now) {
  const auto fields = ParseRrsig(rrsig_rdata);
  if (!fields) return tl::unexpected(fields.error());
  if (fields->type_covered != type || fields->original_ttl != ttl || fields->signer != zone.wire() ||
      fields->labels != owner.rrsig_label_count())
    return Fail(Reason::kSignatureInvalid, Subject(owner, type), "type, TTL, labels and signer of the records", "others");
  // ldns works in place on the records it is given, so each check makes its own.
  const RrListPointer records = MakeRrs(owner, type, ttl, rdatas);
  const RrPointer rrsig = MakeRr(owner, RrType::kRrsig, ttl, rrsig_rdata);
  if (records == nullptr || rrsig == nullptr)
    return Fail(Reason::kEncodingMalformed, Subject(owner, type), "records that ldns can read", "others");
  for (const Octets& dnskey : dnskeys) {
    if (dnskey.size() > 4 && KeyTag(dnskey) == fields->key_tag) {
      const RrPointer key = MakeRr(zone, RrType::kDnskey, ttl, dnskey);
      if (key != nullptr && ldns_verify_rrsig_time(records.get(), rrsig.get(), key.get(), now.time_since_epoch().count()) == LDNS_STATUS_OK)
        return {};
    }
  }
  return Fail(Reason::kSignatureInvalid, Subject(owner, type), "a signature by a published key, valid now", "none");
}

Result<void> CheckRrSet(const Name& owner, const RrSet& rrset, const Name& zone, const std::vector<Octets>& dnskeys, UnixTime now) {
  if (rrset.rrsigs.empty()) return Fail(Reason::kSignatureInvalid, Subject(owner, rrset.type), "a signature", "none");
  for (const Octets& rrsig : rrset.rrsigs) {
    if (auto checked = CheckSignature(owner, rrset.type, rrset.ttl, rrset.rdatas, rrsig, zone, dnskeys, now); !checked) return checked;
  }
  return {};
}

}  // namespace idzone::dns
