// SPDX-License-Identifier: MIT
// An ldns bridge file.
#include "services/core/dns/presentation.h"

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

namespace idzone::dns {

std::string FormatRecord(const Name& owner, Ttl ttl, RrType type, OctetsView rdata) {
  Octets wire = owner.wire();
  OctetWriter writer(wire);
  writer.U16(static_cast<std::uint16_t>(type));
  writer.U16(1);
  writer.U32(ttl);
  writer.U16Sized(rdata);
  ldns_rr* raw = nullptr;
  std::size_t position = 0;
  const auto status = ldns_wire2rr(&raw, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &position, LDNS_SECTION_ANSWER);
  IDZONE_INVARIANT(status == LDNS_STATUS_OK, "a record that was decoded can be written");
  const std::unique_ptr<ldns_rr, void (*)(ldns_rr*)> rr(raw, ldns_rr_free);
  const std::unique_ptr<char, void (*)(void*)> text(ldns_rr2str(rr.get()), std::free);
  IDZONE_INVARIANT(text != nullptr, "ldns can write every record that it can read");
  std::string line(text.get());
  while (!line.empty() && line.back() == '\n') line.pop_back();
  // ldns appends a comment (";{id = …}") to DNSKEY and NSEC3 records.
  if (const auto comment = line.find(" ;{"); comment != std::string::npos) line.resize(comment);
  return line;
}

Octets EncodeNs(const Name& server) {
  return server.wire();
}

Octets EncodeSoa(const SoaFields& soa) {
  Octets rdata = soa.primary.wire() + soa.mailbox.wire();
  OctetWriter writer(rdata);
  for (const std::uint32_t number : {soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum}) writer.U32(number);
  return rdata;
}

Result<SoaFields> ParseSoa(OctetsView rdata) {
  SoaFields soa;
  auto primary = Name::TakeFromWire(rdata, "SOA primary");
  if (!primary) return tl::unexpected(primary.error());
  auto mailbox = Name::TakeFromWire(rdata, "SOA mailbox");
  if (!mailbox) return tl::unexpected(mailbox.error());
  soa.primary = *primary;
  soa.mailbox = *mailbox;
  OctetReader reader(rdata);
  for (std::uint32_t* number : {&soa.serial, &soa.refresh, &soa.retry, &soa.expire, &soa.minimum}) *number = reader.U32();
  if (!reader.ok() || !reader.at_end()) return Fail(Reason::kEncodingMalformed, "SOA", "two names and 20 octets", "others");
  return soa;
}

}  // namespace idzone::dns
