// SPDX-License-Identifier: MIT
#include "services/core/dns/rrset.h"

#include <algorithm>

#include "services/core/dns/name.h"

namespace idzone::dns {

void MakeCanonical(RrSet& rrset) {
  std::sort(rrset.rdatas.begin(), rrset.rdatas.end());
  rrset.rdatas.erase(std::unique(rrset.rdatas.begin(), rrset.rdatas.end()), rrset.rdatas.end());
}

bool SameData(const RrSet& left, const RrSet& right) {
  return left.type == right.type && left.ttl == right.ttl && left.rdatas == right.rdatas;
}

Result<RrsigFields> ParseRrsig(OctetsView rdata) {
  OctetReader reader(rdata);
  RrsigFields fields;
  fields.type_covered = static_cast<RrType>(reader.U16());
  fields.algorithm = reader.U8();
  fields.labels = reader.U8();
  fields.original_ttl = reader.U32();
  fields.expiration = reader.U32();
  fields.inception = reader.U32();
  fields.key_tag = reader.U16();
  if (!reader.ok()) return Fail(Reason::kEncodingMalformed, "RRSIG", "at least 18 octets", std::to_string(rdata.size()));
  OctetsView rest = reader.Raw(reader.remaining());
  auto signer = Name::TakeFromWire(rest, "RRSIG signer");
  if (!signer) return tl::unexpected(signer.error());
  if (rest.empty()) return Fail(Reason::kEncodingMalformed, "RRSIG", "a signature", "none");
  fields.signer = signer->wire();
  fields.signature = Octets(rest);
  return fields;
}

bool IsWithinPeriod(UnixTime now, std::uint32_t inception, std::uint32_t expiration) {
  const auto not_after = [](std::uint32_t earlier, std::uint32_t later) { return static_cast<std::int32_t>(later - earlier) >= 0; };
  return not_after(inception, ToRrsigTime(now)) && not_after(ToRrsigTime(now), expiration);
}

Octets EncodeRrsigPrefix(const RrsigFields& fields) {
  Octets octets;
  OctetWriter writer(octets);
  writer.U16(static_cast<std::uint16_t>(fields.type_covered));
  writer.U8(fields.algorithm);
  writer.U8(fields.labels);
  writer.U32(fields.original_ttl);
  writer.U32(fields.expiration);
  writer.U32(fields.inception);
  writer.U16(fields.key_tag);
  writer.Raw(fields.signer);
  return octets;
}

Octets EncodeSignedData(const RrsigFields& fields, OctetsView owner, RrType type, const std::vector<Octets>& rdatas) {
  Octets octets = EncodeRrsigPrefix(fields);
  OctetWriter writer(octets);
  for (const Octets& rdata : rdatas) {
    writer.Raw(owner);
    writer.U16(static_cast<std::uint16_t>(type));
    writer.U16(1);  // class IN
    writer.U32(fields.original_ttl);
    writer.U16Sized(rdata);
  }
  return octets;
}

}  // namespace idzone::dns
