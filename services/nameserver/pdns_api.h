// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>

#include "pdns/dnsbackend.hh"
#include "pdns/dnsparser.hh"

/// What differs between the releases of PowerDNS that the module is compiled against, so that its other files need not
/// know. IDZONE_PDNS_API says which: CMakeLists.txt finds out from the headers. 4.7 is run and tested;
/// 4.9, 5.0 and 5.1 are compiled only (tests/integration/test_pdns_api.py).
///   4.9  content is const once it is in a record; the factory is handed over in a unique_ptr
///   5.0  zones have a name and a number of types of their own; capabilities are one number. Without PDNS_AUTH, ZoneName
///        silently is DNSName and the classes are laid out otherwise.
#ifndef IDZONE_PDNS_API
#error "IDZONE_PDNS_API: 407, 409 or 500"
#endif

namespace idzone::nameserver {

#if IDZONE_PDNS_API >= 500
#ifndef PDNS_AUTH
#error "PowerDNS 5 needs PDNS_AUTH"
#endif
/// What a record takes in memory, for PowerDNS's own figures.
#define IDZONE_PDNS_SIZE_ESTIMATE(octets)     \
  std::size_t sizeEstimate() const override { \
    return sizeof(*this) + (octets).size();   \
  }
using PdnsZoneName = ZoneName;
using PdnsZoneNumber = domainid_t;
using PdnsZoneId = domainid_t;
inline bool IsGiven(domainid_t zone) {
  return zone != UnknownDomainID;
}
#define IDZONE_PDNS_DOES_DNSSEC             \
  unsigned int getCapabilities() override { \
    return CAP_DNSSEC | CAP_LIST;           \
  }
inline const DNSName& NameOf(const ZoneName& zone) {
  return static_cast<const DNSName&>(zone);
}
#else
#define IDZONE_PDNS_SIZE_ESTIMATE(octets)
using PdnsZoneName = DNSName;
using PdnsZoneNumber = int;        // where a name is asked for: -1 is none
using PdnsZoneId = std::uint32_t;  // where a denial is
inline bool IsGiven(int zone) {
  return zone >= 0;
}
#define IDZONE_PDNS_DOES_DNSSEC \
  bool doesDNSSEC() override {  \
    return true;                \
  }
inline const DNSName& NameOf(const DNSName& zone) {
  return zone;
}
#endif

#if IDZONE_PDNS_API >= 409
/// Marks methods of a record's content that became const.
#define IDZONE_PDNS_CONST const
/// Content is serialized by toPacket alone.
#define IDZONE_PDNS_SERIALIZE(octets)
inline void SetContent(DNSRecord& record, std::shared_ptr<DNSRecordContent> content) {
  record.setContent(std::move(content));
}
inline bool HasContent(const DNSRecord& record) {
  return record.getContent() != nullptr;
}
template <typename Factory>
void Announce() {
  BackendMakers().report(std::make_unique<Factory>());
}
#else
#define IDZONE_PDNS_CONST
#define IDZONE_PDNS_SERIALIZE(octets)                                                              \
  std::string serialize(const DNSName& /*name*/, bool /*canonic*/, bool /*lower_case*/) override { \
    return octets;                                                                                 \
  }
inline void SetContent(DNSRecord& record, std::shared_ptr<DNSRecordContent> content) {
  record.d_content = std::move(content);
}
inline bool HasContent(const DNSRecord& record) {
  return record.d_content != nullptr;
}
template <typename Factory>
void Announce() {
  BackendMakers().report(new Factory);
}
#endif

}  // namespace idzone::nameserver
