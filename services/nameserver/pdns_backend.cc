// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/pdns_backend.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <memory>
#include <utility>

#include "pdns/dnsrecords.hh"

#include "services/nameserver/pdns_content.h"

namespace idzone::nameserver {
namespace {

DNSName FromWire(OctetsView wire) {
  return DNSName(wire.data(), static_cast<int>(wire.size()), 0, false);
}

/// Spares PowerDNS to read the label as text.
DNSName OneLabel(const std::string& label) {
  DNSName name;
  name.appendRawLabel(label);
  return name;
}

/// A name's wire form in lower case, without a heap.
class LowerCase {
 public:
  explicit LowerCase(const DNSName& name) : size_(name.getStorage().size()) {
    IDZONE_INVARIANT(size_ <= octets_.size(), "a name has at most 255 octets");
    // Length octets are below 64, so that they are not taken for letters.
    std::transform(name.getStorage().begin(), name.getStorage().end(), octets_.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  }
  OctetsView wire() const { return {octets_.data(), size_}; }

 private:
  std::array<char, 255> octets_;
  std::size_t size_;
};

Content MakeOpaqueContent(std::uint16_t type, OctetsView rdata) {
  return MakePdnsContent(type, rdata);
}

/// The kind of metadata that names the keys by which a zone may be transferred.
const std::string kAllowTransfer = "TSIG-ALLOW-AXFR";

/// What PowerDNS shall know of a zone beside its records. It takes one without NSEC3PARAM for an NSEC zone.
std::map<std::string, std::vector<std::string>> MetadataOf(const ServedZone& zone, const TransferKeys& transfer_keys) {
  std::map<std::string, std::vector<std::string>> metadata = {{"PRESIGNED", {"1"}}};
  if (!transfer_keys.names().empty()) metadata[kAllowTransfer] = transfer_keys.names();
  if (zone.record.denial == dns::DenialKind::kNsec3) metadata["NSEC3PARAM"] = {"1 0 0 -"};
  return metadata;
}

/// What LMDB says of pages, or a checksum of a value, when the file is not as it was written.
bool IsDamage(Reason reason) {
  return reason == Reason::kEncodingMalformed || reason == Reason::kInternal;
}

}  // namespace

IdentityBackend::IdentityBackend(const std::string& suffix, ReplicaSource& source, Served& served, const TransferParts& transfer)
    : source_(source), served_(served), transfer_(transfer), session_(source), answerer_(MakeOpaqueContent, &served) {
  setArgPrefix("identity" + suffix);
}

template <typename Subject>
void IdentityBackend::Refuse(const char* event, const Subject& subject, const std::string& why) const {
  source_.ReportLine(std::string(event) + " " + subject() + " " + why);
  throw DBException("[identity] " + subject() + ": " + why);
}

template <typename T, typename Subject>
T IdentityBackend::Must(Result<T> result, const Subject& subject) {
  if (!result && IsDamage(result.error().reason)) {
    source_.NoteDamage();
    session_.Spoil();
  }
  if (!result) Refuse("nameserver.cannot_answer", subject, std::string(ReasonName(result.error().reason)) + ": " + result.error().Detail());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void IdentityBackend::HandOut(const DNSName& owner, const ServedZone& zone) {
  owner_ = owner;
  zone_number_ = static_cast<PdnsZoneNumber>(zone.record.number);
  next_record_ = 0;
}

void IdentityBackend::lookup(const QType& type, const DNSName& name, PdnsZoneNumber zone_number, DNSPacket* packet) {
  records_.clear();
  next_record_ = 0;
  listing_.reset();
  const auto subject = [&] { return name.toLogString() + "|" + type.toString(); };
  if (transfer_.catalog && LookUpCatalog(type, name, zone_number)) return;
  // The SOA look-up on PowerDNS's own behalf opens every query and every transfer (UeberBackend::getAuth, getSOAUncached).
  const bool internal = packet == nullptr;
  const bool opens = internal && type.getCode() == QType::SOA;
  // With a zone's number it comes from PowerDNS's list of zones; without, nobody has looked there (a transfer, a zone's check).
  const Session::Use use = Must(!opens ? session_.Continue() : IsGiven(zone_number) ? session_.Open() : session_.OpenNewest(), subject);
  if (use.snapshot() == nullptr) return;
  answerer_.SetMoment(use.moment());
  if (opens) answerer_.OpenQuery(static_cast<RrsigTime>(::time(nullptr)));
  const LowerCase asked(name);
  // Numbers are given once and in order, so that PowerDNS's int holds them.
  const ServedZone* zone = nullptr;
  std::optional<ServedZone> enclosing;
  if (IsGiven(zone_number)) {
    zone = Must(answerer_.FindZone(*use.snapshot(), static_cast<replica::ZoneNumber>(zone_number)), subject);
  } else {
    enclosing = Must(FindEnclosingZone(*use.snapshot(), Must(dns::Name::FromWire(asked.wire(), "question"), subject)), subject);
    if (enclosing) zone = &*enclosing;
  }
  // SOA without a zone's number: PowerDNS wants to know whether there is a zone of exactly that name.
  if (zone == nullptr || (opens && zone->apex.wire() != asked.wire())) return;
  try {
    Must(answerer_.FindRecords(*use.snapshot(), *zone, {type.getCode(), asked.wire(), internal}, records_), subject);
  } catch (const DBException&) {
    records_.clear();
    throw;
  } catch (const std::exception& failure) {
    records_.clear();
    Refuse("nameserver.record_malformed", subject, failure.what());
  }
  HandOut(name, *zone);
}

bool IdentityBackend::get(DNSZoneRecord& record) {
  while (next_record_ == records_.size() && listing_) {
    const auto subject = [this] { return "transfer of " + listing_->zone().apex.Format(); };
    const Session::Use use = Must(session_.Continue(), subject);
    if (use.snapshot() == nullptr) Refuse("nameserver.cannot_answer", subject, "the replica is gone");
    std::optional<ZoneListing::Entry> entry;
    try {
      entry = Must(listing_->Next(*use.snapshot()), subject);
    } catch (const DBException&) {
      throw;
    } catch (const std::exception& failure) {
      Refuse("nameserver.record_malformed", subject, failure.what());
    }
    if (!entry) {
      listing_.reset();
      break;
    }
    records_ = std::move(entry->records);
    HandOut(FromWire(entry->owner.wire()), listing_->zone());
  }
  if (next_record_ == records_.size()) return false;
  AnswerRecord& next = records_[next_record_++];
  if (next.expires != 0) served_.NoteSignature(next.expires);
  record.domain_id = zone_number_;
  record.auth = next.authoritative;
  record.scopeMask = 0;
  record.signttl = 0;
  record.wildcardname.clear();
  record.dr.d_name = owner_;
  record.dr.d_type = next.type;
  record.dr.d_class = QClass::IN;
  record.dr.d_ttl = next.ttl;
  record.dr.d_clen = 0;
  record.dr.d_place = DNSResourceRecord::ANSWER;
  SetContent(record.dr, std::static_pointer_cast<DNSRecordContent>(std::move(next.content)));
  return true;
}

bool IdentityBackend::get(DNSResourceRecord& record) {
  DNSZoneRecord made;
  do {
    if (!get(made)) return false;
    // This form has text for content; nobody asks it about empty non-terminals.
  } while (!HasContent(made.dr));
  record = DNSResourceRecord::fromWire(made.dr);
  record.auth = made.auth;
  record.domain_id = made.domain_id;
  return true;
}

bool IdentityBackend::list(const PdnsZoneName& target, PdnsZoneNumber zone_number, bool /*include_disabled*/) {
  records_.clear();
  next_record_ = 0;
  listing_.reset();
  const auto subject = [&] { return "transfer of " + target.toLogString(); };
  const dns::Name apex = Must(dns::Name::FromWire(NameOf(target).toDNSStringLC(), "transfer"), subject);
  session_.SetPinned(true);
  const Session::Use use = Must(session_.Continue(), subject);
  if (use.snapshot() == nullptr) return false;
  auto zone = Must(FindServedZone(*use.snapshot(), apex), subject);
  if (!zone || (IsGiven(zone_number) && static_cast<PdnsZoneNumber>(zone->record.number) != zone_number)) return false;
  listing_.emplace(*std::move(zone), MakeOpaqueContent);
  return true;
}

DomainInfo IdentityBackend::InfoOf(const dns::Name& apex, replica::ZoneNumber number, dns::Serial serial) {
  DomainInfo info;
  info.zone = PdnsZoneName(FromWire(apex.wire()));
  info.id = number;
  info.serial = serial;
  info.kind = DomainInfo::Native;  // versions come from the feed: PowerDNS shall neither fetch zones nor tell of them
  info.backend = this;
  return info;
}

bool IdentityBackend::getDomainInfo(const PdnsZoneName& name, DomainInfo& info, bool /*with_serial*/) {
  if (const auto catalog = CatalogOf(NameOf(name), false)) {
    info = InfoOfCatalog(*catalog);
    return true;
  }
  const auto zone = Must(FindZoneNamed(NameOf(name)), [&] { return "zone " + name.toLogString(); });
  if (!zone) return false;
  info = InfoOf(zone->apex, zone->record.number, zone->record.position.serial);
  return true;
}

void IdentityBackend::getAllDomains(std::vector<DomainInfo>* domains, bool /*with_serial*/, bool /*include_disabled*/) {
  const auto subject = [] { return std::string("list of zones"); };
  if (const auto catalog = transfer_.catalog ? transfer_.catalog->Current() : nullptr) domains->push_back(InfoOfCatalog(*catalog));
  // The newest: with the one before, PowerDNS would forget a zone that it was told of in between.
  const Session::Use use = Must(session_.OpenNewest(), subject);
  if (use.snapshot() == nullptr) return;
  const auto held = Must(use.snapshot()->Zones(), subject);
  // A damaged zone is listed, too, so that its names are SERVFAIL and not REFUSED.
  for (const auto& zone : held.zones) domains->push_back(InfoOf(zone.zone, zone.number, zone.record ? zone.record->position.serial : 0));
  std::string damages;
  for (const auto& damage : held.damages) damages += " " + damage.Detail() + ";";
  source_.ReportDamages(damages);
  if (!damages.empty()) source_.NoteDamage();
}

Result<std::optional<ServedZone>> IdentityBackend::FindZoneNamed(const DNSName& name) {
  const auto use = session_.Continue();
  if (!use) return tl::unexpected(use.error());
  if (use->snapshot() == nullptr) return std::nullopt;
  const auto apex = dns::Name::FromWire(LowerCase(name).wire(), "zone");
  if (!apex) return tl::unexpected(apex.error());
  return FindServedZone(*use->snapshot(), *apex);
}

bool IdentityBackend::getAllDomainMetadata(const PdnsZoneName& name, std::map<std::string, std::vector<std::string>>& metadata) {
  if (CatalogOf(NameOf(name), false)) {
    metadata = {{kAllowTransfer, transfer_.keys.names()}};
    return true;
  }
  const auto subject = [&] { return "metadata of " + name.toLogString(); };
  const auto zone = Must(FindZoneNamed(NameOf(name)), subject);
  // PowerDNS keeps what it hears for a minute (zone-metadata-cache-ttl), and would take a zone that is just being made for
  // an unsigned one. It does not keep an exception.
  if (!zone) Refuse("nameserver.cannot_answer", subject, "there is no such zone yet");
  metadata = MetadataOf(*zone, transfer_.keys);
  return true;
}

bool IdentityBackend::getDomainMetadata(const PdnsZoneName& name, const std::string& kind, std::vector<std::string>& values) {
  // Asked before a transfer opens the zone, when the session may still hold an older snapshot: the keys do not depend on it.
  if (kind == kAllowTransfer) {
    values = transfer_.keys.names();
    return !values.empty();
  }
  if (CatalogOf(NameOf(name), false)) return false;
  const auto zone = Must(FindZoneNamed(NameOf(name)), [&] { return "metadata of " + name.toLogString(); });
  if (!zone) return false;
  const auto metadata = MetadataOf(*zone, transfer_.keys);
  const auto found = metadata.find(kind);
  if (found == metadata.end()) return false;
  values = found->second;
  return true;
}

template <typename Subject>
const ServedZone& IdentityBackend::DeniedZone(const Session::Use& use, uint32_t number, dns::DenialKind kind, const Subject& subject) {
  if (use.snapshot() == nullptr) Refuse("nameserver.cannot_answer", subject, "the replica is gone");
  answerer_.SetMoment(use.moment());
  const ServedZone* zone = Must(answerer_.FindZone(*use.snapshot(), static_cast<replica::ZoneNumber>(number)), subject);
  if (zone == nullptr) Refuse("nameserver.cannot_answer", subject, "there is no such zone");
  // It knows the kind from the metadata, up to a minute old: a zone of that name was removed and made anew.
  if (zone->record.denial != kind) Refuse("nameserver.cannot_answer", subject, "the zone's kind of denial has changed");
  return *zone;
}

bool IdentityBackend::getBeforeAndAfterNames(PdnsZoneId zone_number, const PdnsZoneName& /*apex*/, const DNSName& name, DNSName& before,
                                             DNSName& after) {
  const auto subject = [&] { return "denial of " + name.toLogString(); };
  const Session::Use use = Must(session_.Continue(), subject);
  const ServedZone& zone = DeniedZone(use, zone_number, dns::DenialKind::kNsec, subject);
  const auto place = Must(answerer_.FindNsec(*use.snapshot(), zone, LowerCase(name).wire()), subject);
  if (!place) return false;
  before = FromWire(place->owner);
  after = FromWire(place->next);
  return true;
}

bool IdentityBackend::getBeforeAndAfterNamesAbsolute(PdnsZoneId zone_number, const DNSName& hashed, DNSName& unhashed, DNSName& before,
                                                     DNSName& after) {
  const auto subject = [&] { return "denial by " + hashed.toLogString(); };
  const Session::Use use = Must(session_.Continue(), subject);
  const ServedZone& zone = DeniedZone(use, zone_number, dns::DenialKind::kNsec3, subject);
  const auto hash = hashed.countLabels() == 1 ? DecodeHash(hashed.getRawLabel(0)) : std::nullopt;
  if (!hash) return false;
  const auto place = Must(answerer_.FindNsec3(*use.snapshot(), zone, *hash), subject);
  if (!place) return false;
  // When `before` comes in filled, PowerDNS knows the matching name already and wants nothing but what follows.
  if (before.empty()) {
    before = OneLabel(Base32HexEncode(place->key));
    unhashed = FromWire(place->owner);
  }
  after = OneLabel(Base32HexEncode(place->next));
  return true;
}

}  // namespace idzone::nameserver
