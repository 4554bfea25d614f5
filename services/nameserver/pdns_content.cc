// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/pdns_content.h"

#include <stdexcept>
#include <string>

#include "pdns/dnsrecords.hh"

#include "services/nameserver/pdns_api.h"

namespace idzone::nameserver {
namespace {

/// What the parser would have made of the octets: for the rare reader of text.
std::string ToText(std::uint16_t type, const std::string& octets, bool no_dot) {
  return DNSRecordContent::deserialize(DNSName("."), type, octets)->getZoneRepresentation(no_dot);
}

/// Content of `Base` that leaves as the octets that it came as.
template <typename Base>
class Raw : public Base {
 public:
  Raw(std::uint16_t type, OctetsView rdata) : type_(type), octets_(rdata) {}

  std::uint16_t getType() const override { return type_; }
  void toPacket(DNSPacketWriter& writer) IDZONE_PDNS_CONST override { writer.xfrBlob(octets_); }
  /// No name is in it, so that neither compression nor letters matter.
  IDZONE_PDNS_SERIALIZE(octets_)
  IDZONE_PDNS_SIZE_ESTIMATE(octets_)
  std::string getZoneRepresentation(bool no_dot) const override { return ToText(type_, octets_, no_dot); }
  bool operator==(const DNSRecordContent& other) const override {
    const auto* raw = dynamic_cast<const Raw*>(&other);
    return raw != nullptr && raw->type_ == type_ && raw->octets_ == octets_;
  }

 private:
  const std::uint16_t type_;
  const std::string octets_;
};

/// PowerDNS reads of an RRSIG what it covers, and nothing else (DNSSECKeeper::getPreRRSIGs).
class RawSignature : public Raw<RRSIGRecordContent> {
 public:
  explicit RawSignature(OctetsView rdata) : Raw(QType::RRSIG, rdata) {
    OctetReader reader(rdata);
    d_type = reader.U16();
    if (!reader.ok()) throw std::out_of_range("RRSIG RDATA that is too short");
  }
};

}  // namespace

std::shared_ptr<DNSRecordContent> MakePdnsContent(std::uint16_t type, OctetsView rdata) {
  switch (type) {
    case QType::RRSIG: return std::make_shared<RawSignature>(rdata);
    case QType::DS:
    case QType::SSHFP:
    case QType::DNSKEY:
    case QType::NSEC3PARAM:
    case QType::TLSA:
    case QType::SMIMEA:
    case QType::CDS:
    case QType::CDNSKEY:
    case QType::OPENPGPKEY: return std::make_shared<Raw<DNSRecordContent>>(type, rdata);
    default: return DNSRecordContent::deserialize(DNSName("."), type, std::string(rdata));
  }
}

}  // namespace idzone::nameserver
