// SPDX-License-Identifier: MIT
// What the feed sends and PostgreSQL stores: RRsets and deltas. The first octet chooses.
#include "services/core/records/rdata_check.h"
#include "services/core/zone/node.h"
#include "tests/fuzz/fuzz_target.h"

using namespace idzone;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const dns::Name zone = dns::Name::Parse("_device.acme.example.").value();
  const OctetsView input = fuzz::ViewOf(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    if (const auto rrsets = zone::DecodeRrSets(input, zone)) {
      IDZONE_INVARIANT(zone::EncodeRrSets(*rrsets) == input, "RRsets have one encoding");
      for (const auto& rrset : *rrsets) IDZONE_INVARIANT(dns::AllowedRrType(static_cast<std::uint16_t>(rrset.type)), "only allowed types");
    }
    return 0;
  }
  if (data[0] % 4 == 1) {
    if (input.size() >= 2) {
      if (const auto type = dns::AllowedRrType(OctetReader(input).U16())) static_cast<void>(records::CheckRdata(*type, input.substr(2)));
    }
    return 0;
  }
  const auto kind = data[0] % 4 == 2 ? dns::DenialKind::kNsec3 : dns::DenialKind::kNsec;
  const auto changes = zone::DecodeDelta(input, zone, kind);
  if (!changes) return 0;
  IDZONE_INVARIANT(zone::EncodeDelta(*changes) == input, "a delta has one encoding");
  for (const zone::NodeChange& change : *changes) {
    if (!change.data) continue;
    IDZONE_INVARIANT(change.data->owner.IsAtOrBelow(zone), "a delta holds names of its zone");
    IDZONE_INVARIANT(dns::DenialKeyOf(kind, change.data->owner, zone) == change.key, "a node lies at its owner's key");
    std::vector<dns::RrType> types;
    for (const auto& rrset : change.data->rrsets) types.push_back(rrset.type);
    if (change.denial) static_cast<void>(dns::MakeDenialRecord(kind, zone, change.key, change.denial->next, types));
  }
  return 0;
}
