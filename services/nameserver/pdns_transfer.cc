// SPDX-License-Identifier: GPL-2.0-only
// What a transfer host tells PowerDNS beside what every edge does: who may transfer zones, by which key, and the catalog zone,
// which PowerDNS itself writes out for transfers (RFC 9432). A public edge has neither keys nor catalog.
#include "services/nameserver/pdns_backend.h"

#include "services/nameserver/pdns_content.h"

namespace idzone::nameserver {
namespace {

/// Of the catalog zone, which is in no replica: PowerDNS's numbers are positive, and a replica's begin at 1.
constexpr std::uint32_t kCatalogNumber = 0x7fffffff;
constexpr dns::Ttl kCatalogTtl = 0;  // RFC 9432 §4: nobody but consumers reads it

/// Root label, then "invalid.": RFC 9432 §4.1 wants an NS record and no name server.
const Octets kInvalidName = Octets("\7invalid\0", 9);

Octets SoaRdata(dns::Serial serial) {
  Octets rdata = kInvalidName + kInvalidName;
  OctetWriter writer(rdata);
  writer.U32(serial);
  writer.U32(600);         // refresh
  writer.U32(60);          // retry
  writer.U32(0x7ffffffe);  // expire: a consumer that is cut off keeps its zones, which expire by themselves
  writer.U32(0);           // minimum
  return rdata;
}

}  // namespace

/// PowerDNS passes the algorithm that the client claims; another one than the key's is no key.
bool IdentityBackend::getTSIGKey(const DNSName& name, DNSName& algorithm, std::string& content) {
  const zone::TsigKey* key = transfer_.keys.Find(name.toDNSStringLC());
  if (key == nullptr) return false;
  const DNSName own{std::string(zone::TsigAlgorithmName(key->algorithm))};
  if (!algorithm.empty() && algorithm != own) return false;
  algorithm = own;
  content = Base64Encode(key->secret);
  return true;
}

std::shared_ptr<const zone::Catalog> IdentityBackend::CatalogOf(const DNSName& name, bool or_below) const {
  if (!transfer_.catalog) return nullptr;
  auto catalog = transfer_.catalog->Current();
  if (catalog == nullptr) return nullptr;
  const DNSName apex(catalog->name.wire().data(), static_cast<int>(catalog->name.wire().size()), 0, false);
  return name == apex || (or_below && name.isPartOf(apex)) ? catalog : nullptr;
}

DomainInfo IdentityBackend::InfoOfCatalog(const zone::Catalog& catalog) {
  DomainInfo info = InfoOf(catalog.name, kCatalogNumber, catalog.serial);
  info.kind = DomainInfo::Producer;
  return info;
}

bool IdentityBackend::LookUpCatalog(const QType& type, const DNSName& name, PdnsZoneNumber zone_number) {
  const bool by_number = zone_number == static_cast<PdnsZoneNumber>(kCatalogNumber);
  if (IsGiven(zone_number) && !by_number) return false;
  const auto catalog = CatalogOf(name, by_number);
  if (catalog == nullptr) return by_number;
  if (CatalogOf(name, false) == nullptr) return true;  // members are in transfers only
  const auto add = [&](std::uint16_t of, const Octets& rdata) {
    if (type.getCode() == of || type.getCode() == QType::ANY)
      records_.push_back({.type = of, .ttl = kCatalogTtl, .content = std::static_pointer_cast<void>(MakePdnsContent(of, rdata))});
  };
  add(QType::SOA, SoaRdata(catalog->serial));
  add(QType::NS, kInvalidName);
  owner_ = name;
  zone_number_ = static_cast<PdnsZoneNumber>(kCatalogNumber);
  return true;
}

bool IdentityBackend::getCatalogMembers(const PdnsZoneName& name, std::vector<CatalogInfo>& members, CatalogInfo::CatalogType type) {
  const auto catalog = CatalogOf(NameOf(name), false);
  if (catalog == nullptr || type != CatalogInfo::CatalogType::Producer) return false;
  for (const dns::Name& zone : catalog->zones) {
    // One number for all, so that a member's label is a hash of its name alone: consumers begin anew when it changes.
    CatalogInfo member;
    member.d_id = 0;
    member.d_zone = PdnsZoneName(DNSName(zone.wire().data(), static_cast<int>(zone.wire().size()), 0, false));
    member.setType(type);
    members.push_back(std::move(member));
  }
  return true;
}

}  // namespace idzone::nameserver
