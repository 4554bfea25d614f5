// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/pdns_backend.h"

#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "pdns/arguments.hh"
#include "pdns/dnsrecords.hh"
#include "pdns/logger.hh"

namespace idzone::nameserver {
namespace {

DNSName FromWire(OctetsView wire) {
  return DNSName(wire.data(), static_cast<int>(wire.size()), 0, false);
}

/// Every zone of the replica is the same to PowerDNS, also one that it asks about before it is there: it keeps what it
/// hears for a minute (zone-metadata-cache-ttl), and must not take a zone that is just being made for an unsigned one.
const std::map<std::string, std::vector<std::string>>& Metadata() {
  static const std::map<std::string, std::vector<std::string>> metadata = {{"PRESIGNED", {"1"}}, {"NSEC3PARAM", {"1 0 0 -"}}};
  return metadata;
}

/// Settings with which answers would be wrong, checked before the first one. Query cache: its entries would mix versions
/// of a zone in one answer. consistent-backends: it turns every look-up into ANY, and then the one that opens a query
/// cannot be told from later ones.
void RequireSafeSettings() {
  for (const char* name : {"query-cache-ttl", "negquery-cache-ttl"})
    if (::arg().asNum(name) != 0) throw PDNSException("[identity] needs " + std::string(name) + "=0, for an answer must not mix versions");
  if (::arg().mustDo("consistent-backends"))
    throw PDNSException("[identity] needs consistent-backends=no, without which it cannot see where a query begins");
}

}  // namespace

IdentityBackend::IdentityBackend(const std::string& suffix, ReplicaSource& source) : source_(source), session_(source) {
  setArgPrefix("identity" + suffix);
}

template <typename T>
T IdentityBackend::Must(Result<T> result, const std::string& subject) const {
  if (result) return *std::move(result);
  const std::string text = std::string(ReasonName(result.error().reason)) + ": " + result.error().Detail();
  source_.ReportLine("nameserver.cannot_answer " + subject + " " + text);
  throw DBException("[identity] " + subject + ": " + text);
}

Result<std::optional<ServedZone>> IdentityBackend::ZoneOf(replica::Snapshot& snapshot, int number, const dns::Name& name) const {
  // Numbers are given once and in order, so that PowerDNS's int holds them.
  if (number >= 0) return FindServedZone(snapshot, static_cast<replica::ZoneNumber>(number));
  return FindEnclosingZone(snapshot, name);
}

void IdentityBackend::Append(const DNSName& owner, const ServedZone& zone, const std::vector<AnswerRecord>& records) {
  for (const AnswerRecord& record : records) {
    DNSZoneRecord made;
    made.domain_id = static_cast<int>(zone.record.number);
    made.auth = record.authoritative;
    made.dr.d_name = owner;
    made.dr.d_type = record.type;
    made.dr.d_ttl = record.ttl;
    made.dr.d_class = QClass::IN;
    // PowerDNS casts SOA, NS and RRSIG to their own classes without a check, so content is always made by its own parser.
    // An empty non-terminal has none.
    if (record.type != kEmptyType) made.dr.d_content = DNSRecordContent::deserialize(owner, record.type, std::string(record.rdata));
    pending_.push_back(std::move(made));
  }
}

void IdentityBackend::lookup(const QType& type, const DNSName& name, int zone_number, DNSPacket* packet) {
  pending_.clear();
  listing_.reset();
  const std::string subject = name.toLogString() + "|" + type.toString();
  // The SOA look-up on PowerDNS's own behalf opens every query and every transfer (UeberBackend::getAuth, getSOAUncached).
  const bool internal = packet == nullptr;
  const bool opens = internal && type.getCode() == QType::SOA;
  const Session::Use use = Must(opens ? session_.Open() : session_.Continue(), subject);
  if (use.snapshot() == nullptr) return;
  const dns::Name asked = Must(dns::Name::FromWire(name.toDNSStringLC(), "question"), subject);
  const auto zone = Must(ZoneOf(*use.snapshot(), zone_number, asked), subject);
  // SOA without a zone's number: PowerDNS wants to know whether there is a zone of exactly that name.
  if (!zone || (opens && zone->apex != asked)) return;
  const auto records = Must(FindRecords(*use.snapshot(), *zone, {type.getCode(), asked, internal}), subject);
  try {
    Append(name, *zone, records);
  } catch (const std::exception& failure) {
    pending_.clear();
    source_.ReportLine("nameserver.record_malformed " + subject + " " + failure.what());
    throw DBException("[identity] " + subject + ": " + failure.what());
  }
}

bool IdentityBackend::get(DNSZoneRecord& record) {
  while (pending_.empty() && listing_) {
    const std::string subject = "transfer of " + listing_->zone().apex.Format();
    const Session::Use use = Must(session_.Continue(), subject);
    if (use.snapshot() == nullptr) throw DBException("[identity] " + subject + ": the replica is gone");
    const auto entry = Must(listing_->Next(*use.snapshot()), subject);
    if (!entry) {
      listing_.reset();
      break;
    }
    try {
      Append(FromWire(entry->owner.wire()), listing_->zone(), entry->records);
    } catch (const std::exception& failure) {
      throw DBException("[identity] " + subject + ": " + failure.what());
    }
  }
  if (pending_.empty()) return false;
  record = std::move(pending_.front());
  pending_.pop_front();
  return true;
}

bool IdentityBackend::get(DNSResourceRecord& record) {
  DNSZoneRecord made;
  do {
    if (!get(made)) return false;
    // This form has text for content; nobody asks it about empty non-terminals.
  } while (made.dr.d_content == nullptr);
  record = DNSResourceRecord::fromWire(made.dr);
  record.auth = made.auth;
  record.domain_id = made.domain_id;
  return true;
}

bool IdentityBackend::list(const DNSName& target, int zone_number, bool /*include_disabled*/) {
  pending_.clear();
  listing_.reset();
  const std::string subject = "transfer of " + target.toLogString();
  const dns::Name apex = Must(dns::Name::FromWire(target.toDNSStringLC(), "transfer"), subject);
  session_.SetPinned(true);
  const Session::Use use = Must(session_.Continue(), subject);
  if (use.snapshot() == nullptr) return false;
  auto zone = Must(ZoneOf(*use.snapshot(), zone_number, apex), subject);
  if (!zone || zone->apex != apex) return false;
  listing_.emplace(*std::move(zone));
  return true;
}

DomainInfo IdentityBackend::InfoOf(const dns::Name& apex, const replica::ZoneRecord& record) {
  DomainInfo info;
  info.zone = FromWire(apex.wire());
  info.id = record.number;
  info.serial = record.position.serial;
  info.kind = DomainInfo::Native;  // versions come from the feed: PowerDNS shall neither fetch zones nor tell of them
  info.backend = this;
  return info;
}

bool IdentityBackend::getDomainInfo(const DNSName& name, DomainInfo& info, bool /*with_serial*/) {
  const std::string subject = "zone " + name.toLogString();
  const Session::Use use = Must(session_.Continue(), subject);
  if (use.snapshot() == nullptr) return false;
  const dns::Name apex = Must(dns::Name::FromWire(name.toDNSStringLC(), "zone"), subject);
  const auto zone = Must(FindServedZone(*use.snapshot(), apex), subject);
  if (!zone) return false;
  info = InfoOf(zone->apex, zone->record);
  return true;
}

void IdentityBackend::getAllDomains(std::vector<DomainInfo>* domains, bool /*with_serial*/, bool /*include_disabled*/) {
  const Session::Use use = Must(session_.Open(), "list of zones");
  if (use.snapshot() == nullptr) return;
  for (const auto& held : Must(use.snapshot()->Zones(), "list of zones")) domains->push_back(InfoOf(held.zone, held.record));
}

bool IdentityBackend::getAllDomainMetadata(const DNSName& /*name*/, std::map<std::string, std::vector<std::string>>& metadata) {
  metadata = Metadata();
  return true;
}

bool IdentityBackend::getDomainMetadata(const DNSName& /*name*/, const std::string& kind, std::vector<std::string>& values) {
  const auto found = Metadata().find(kind);
  if (found == Metadata().end()) return false;
  values = found->second;
  return true;
}

bool IdentityBackend::getBeforeAndAfterNamesAbsolute(uint32_t zone_number, const DNSName& hashed, DNSName& unhashed, DNSName& before,
                                                     DNSName& after) {
  const std::string subject = "denial by " + hashed.toLogString();
  const Session::Use use = Must(session_.Continue(), subject);
  if (use.snapshot() == nullptr || hashed.countLabels() != 1) return false;
  const auto hash = DecodeHash(hashed.getRawLabel(0));
  const auto zone = Must(FindServedZone(*use.snapshot(), static_cast<replica::ZoneNumber>(zone_number)), subject);
  if (!hash || !zone) return false;
  const auto place = Must(FindDenial(*use.snapshot(), *zone, *hash), subject);
  if (!place) return false;
  // When `before` comes in filled, PowerDNS knows the matching name already and wants nothing but what follows.
  if (before.empty()) {
    before = DNSName(Base32HexEncode(place->before));
    unhashed = FromWire(place->owner);
  }
  after = DNSName(Base32HexEncode(place->after));
  return true;
}

namespace {

class IdentityFactory : public BackendFactory {
 public:
  IdentityFactory() : BackendFactory("identity") {}

  void declareArguments(const std::string& suffix) override {
    declare(suffix, "replica", "Directory of the replica that idzone-replicad keeps", "/var/lib/idzone/replica");
  }

  DNSBackend* make(const std::string& suffix) override {
    RequireSafeSettings();
    return new IdentityBackend(suffix, Source(suffix));
  }

 private:
  /// One replica a process, whatever the number of instances; made with the first of them, which is after PowerDNS has
  /// gone into the background, since LMDB does not survive a fork. Never deleted: threads use it until the very end.
  static ReplicaSource& Source(const std::string& suffix) {
    static std::mutex mutex;
    static ReplicaSource* source = nullptr;
    static std::string first_suffix;
    const std::lock_guard lock(mutex);
    if (source == nullptr) {
      source = new ReplicaSource(::arg()["identity" + suffix + "-replica"],
                                 [](const std::string& text) { g_log << Logger::Warning << "[identity] " << text << std::endl; });
      source->RunForever();
      first_suffix = suffix;
    }
    if (suffix != first_suffix) throw PDNSException("[identity] can be launched once: there is one replica in a process");
    return *source;
  }
};

/// Announces the backend when PowerDNS loads the module.
struct Announcement {
  Announcement() { BackendMakers().report(new IdentityFactory); }
} announcement;

}  // namespace
}  // namespace idzone::nameserver
