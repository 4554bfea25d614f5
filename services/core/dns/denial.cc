// SPDX-License-Identifier: MIT
#include "services/core/dns/denial.h"

#include <algorithm>

namespace idzone::dns {

DenialKey CanonicalKey(const Name& owner, const Name& apex) {
  IDZONE_INVARIANT(owner.IsAtOrBelow(apex), "a zone's names are at or below its apex");
  DenialKey key(1, '\0');
  const auto labels = owner.Labels();
  for (std::size_t i = labels.size() - apex.label_count(); i-- > 0;) {
    IDZONE_INVARIANT(labels[i].find('\0') == OctetsView::npos, "a label of an identity zone holds no 0x00");
    key.append(labels[i]).push_back('\0');
  }
  return key;
}

DenialKey DenialKeyOf(DenialKind kind, const Name& owner, const Name& apex) {
  return kind == DenialKind::kNsec3 ? Nsec3Hash(owner) : CanonicalKey(owner, apex);
}

DenialKey Nsec3Hash(const Name& name) {
  return Sha1(name.wire());
}

Name Nsec3Owner(OctetsView hash, const Name& zone) {
  auto owner = zone.Prepend(Base32HexEncode(hash));
  IDZONE_INVARIANT(owner.has_value(), "a zone name leaves room for an NSEC3 label (limits::kZoneNameOctetsMax)");
  return *owner;
}

Octets EncodeNsec3(OctetsView next_hash, std::vector<RrType> types) {
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U8(1);   // SHA-1
  writer.U8(0);   // no opt-out
  writer.U16(0);  // iterations
  writer.U8(0);   // empty salt
  writer.U8Sized(next_hash);
  writer.Raw(EncodeTypeBitmap(std::move(types)));
  return rdata;
}

Octets EncodeNsec3Param() {
  return Octets("\x01\x00\x00\x00\x00", 5);
}

std::vector<RrType> DenialTypes(std::vector<RrType> present) {
  const auto has = [&](RrType type) { return std::find(present.begin(), present.end(), type) != present.end(); };
  const bool insecure_delegation = has(RrType::kNs) && !has(RrType::kSoa) && !has(RrType::kDs);
  if (!present.empty() && !insecure_delegation) present.push_back(RrType::kRrsig);
  return present;
}

}  // namespace idzone::dns
