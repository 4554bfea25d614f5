// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pdns/dnsbackend.hh"

#include "services/nameserver/answer.h"
#include "services/nameserver/pdns_api.h"
#include "services/nameserver/replica_session.h"
#include "services/nameserver/transfer_catalog.h"
#include "services/nameserver/transfer_keys.h"
#include "services/nameserver/zone_listing.h"

/// PowerDNS's backend `identity`: translation only. The files whose names begin with pdns_ are the only ones
/// that know PowerDNS's headers; pdns_factory makes it.
///
/// Errors: DBException for a question that cannot be answered now, which makes PowerDNS say SERVFAIL; PDNSException only
/// at start. Threads: PowerDNS makes one instance for each of its threads; one never serves two queries at once.
/// Run with PowerDNS 4.7, compiled against 4.9 and 5.1 (pdns_api.h).
namespace idzone::nameserver {

/// What only a transfer host has; empty on a public edge.
struct TransferParts {
  TransferKeys keys;
  std::unique_ptr<CatalogSource> catalog;
};

class IdentityBackend : public DNSBackend {
 public:
  /// All must outlive it.
  IdentityBackend(const std::string& suffix, ReplicaSource& source, Served& served, const TransferParts& transfer);

  void lookup(const QType& type, const DNSName& name, PdnsZoneNumber zone, DNSPacket* packet) override;
  bool get(DNSResourceRecord& record) override;
  bool get(DNSZoneRecord& record) override;
  bool list(const PdnsZoneName& target, PdnsZoneNumber zone, bool include_disabled) override;

  bool getDomainInfo(const PdnsZoneName& name, DomainInfo& info, bool with_serial) override;
  void getAllDomains(std::vector<DomainInfo>* domains, bool with_serial, bool include_disabled) override;
  bool getAllDomainMetadata(const PdnsZoneName& name, std::map<std::string, std::vector<std::string>>& metadata) override;
  bool getDomainMetadata(const PdnsZoneName& name, const std::string& kind, std::vector<std::string>& values) override;
  bool getBeforeAndAfterNames(PdnsZoneId zone, const PdnsZoneName& apex, const DNSName& name, DNSName& before, DNSName& after) override;
  bool getBeforeAndAfterNamesAbsolute(PdnsZoneId zone, const DNSName& hashed, DNSName& unhashed, DNSName& before, DNSName& after) override;
  IDZONE_PDNS_DOES_DNSSEC
  bool getTSIGKey(const DNSName& name, DNSName& algorithm, std::string& content) override;
  bool getCatalogMembers(const PdnsZoneName& name, std::vector<CatalogInfo>& members, CatalogInfo::CatalogType type) override;

 private:
  /// Replaces what get() hands out. `owner` as it was asked, `zone` for its number.
  void HandOut(const DNSName& owner, const ServedZone& zone);
  Result<std::optional<ServedZone>> FindZoneNamed(const DNSName& name);
  /// Returns the zone whose denial records PowerDNS is making. DBException when it is not of that kind.
  template <typename Subject>
  const ServedZone& DeniedZone(const Session::Use& use, uint32_t number, dns::DenialKind kind, const Subject& subject);
  DomainInfo InfoOf(const dns::Name& apex, replica::ZoneNumber number, dns::Serial serial);
  /// Returns the catalog if `name` is its apex (`or_below`: or a name in it), otherwise null.
  std::shared_ptr<const zone::Catalog> CatalogOf(const DNSName& name, bool or_below) const;
  DomainInfo InfoOfCatalog(const zone::Catalog& catalog);
  /// Answers a look-up in the catalog zone. Returns false when it is none.
  bool LookUpCatalog(const QType& type, const DNSName& name, PdnsZoneNumber zone_number);
  /// Takes the value out of a result, or logs why there is none and throws DBException. `subject` makes a text.
  template <typename T, typename Subject>
  T Must(Result<T> result, const Subject& subject);
  template <typename Subject>
  [[noreturn]] void Refuse(const char* event, const Subject& subject, const std::string& why) const;

  ReplicaSource& source_;
  Served& served_;
  const TransferParts& transfer_;
  Session session_;
  Answerer answerer_;
  // What get() hands out: records of one owner.
  std::vector<AnswerRecord> records_;
  std::size_t next_record_ = 0;
  DNSName owner_;
  PdnsZoneNumber zone_number_ = 0;
  std::optional<ZoneListing> listing_;
};

}  // namespace idzone::nameserver
