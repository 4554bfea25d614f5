// SPDX-License-Identifier: MIT
#include "services/core/dns/denial.h"

#include <algorithm>

namespace idzone::dns {
namespace {

tl::unexpected<Error> Malformed(const Name& apex, std::string expected, OctetsView met) {
  return Fail(Reason::kEncodingMalformed, "denial chain of " + apex.Format(), std::move(expected), HexEncode(met));
}

}  // namespace

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

Result<Name> CanonicalName(OctetsView key, const Name& apex) {
  Name name = apex;
  std::size_t at = 1;
  while (at < key.size()) {
    const std::size_t end = key.find('\0', at);
    auto longer = name.Prepend(key.substr(at, end == OctetsView::npos ? end : end - at));
    if (!longer || end == OctetsView::npos) return Malformed(apex, "a canonical key", key);
    name = *std::move(longer);
    at = end + 1;
  }
  // Upper case letters, too, are nobody's key.
  if (key.empty() || CanonicalKey(name, apex) != key) return Malformed(apex, "a canonical key", key);
  return name;
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

Octets EncodeNsec(OctetsView next, std::vector<RrType> types) {
  return Octets(next) + EncodeTypeBitmap(std::move(types));
}

Octets DenialNextOf(DenialKind kind, const DenialKey& next_key, const Name& apex) {
  if (kind == DenialKind::kNsec3) return next_key;
  const auto name = CanonicalName(next_key, apex);
  IDZONE_INVARIANT(name.has_value(), "the keys of an NSEC chain are canonical keys");
  return name->wire();
}

Result<DenialKey> KeyOfDenialNext(DenialKind kind, OctetsView next, const Name& apex) {
  if (kind == DenialKind::kNsec3) {
    if (next.size() != kNsec3HashOctets) return Malformed(apex, "a next hash of 20 octets", next);
    return DenialKey(next);
  }
  const auto name = Name::FromWire(next, "next name in " + apex.Format());
  if (!name) return tl::unexpected(name.error());
  const auto labels = name->Labels();
  const bool has_key = name->wire() == next && name->IsAtOrBelow(apex) &&
                       std::none_of(labels.begin(), labels.end(), [](OctetsView label) { return label.find('\0') != OctetsView::npos; });
  if (!has_key) return Malformed(apex, "a next name of the zone, in lower case", next);
  return CanonicalKey(*name, apex);
}

Octets EncodeNsec3Param() {
  return Octets("\x01\x00\x00\x00\x00", 5);
}

std::vector<RrType> DenialTypes(DenialKind kind, std::vector<RrType> present) {
  if (kind == DenialKind::kNsec) {
    present.insert(present.end(), {RrType::kRrsig, RrType::kNsec});
    return present;
  }
  const auto has = [&](RrType type) { return std::find(present.begin(), present.end(), type) != present.end(); };
  const bool insecure_delegation = has(RrType::kNs) && !has(RrType::kSoa) && !has(RrType::kDs);
  if (!present.empty() && !insecure_delegation) present.push_back(RrType::kRrsig);
  return present;
}

Result<DenialRecord> MakeDenialRecord(DenialKind kind, const Name& apex, OctetsView key, OctetsView next, std::vector<RrType> present) {
  if (auto next_key = KeyOfDenialNext(kind, next, apex); !next_key) return tl::unexpected(next_key.error());
  std::vector<RrType> types = DenialTypes(kind, std::move(present));
  if (kind == DenialKind::kNsec) {
    auto owner = CanonicalName(key, apex);
    if (!owner) return tl::unexpected(owner.error());
    return DenialRecord{*std::move(owner), RrType::kNsec, EncodeNsec(next, std::move(types))};
  }
  if (key.size() != kNsec3HashOctets) return Malformed(apex, "an NSEC3 hash of 20 octets", key);
  return DenialRecord{Nsec3Owner(key, apex), RrType::kNsec3, EncodeNsec3(next, std::move(types))};
}

}  // namespace idzone::dns
