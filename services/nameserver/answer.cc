// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/answer.h"

#include <algorithm>
#include <utility>

#include "services/core/dns/rr_type.h"

namespace idzone::nameserver {
namespace {

using dns::RrType;

constexpr std::uint16_t Code(RrType type) {
  return static_cast<std::uint16_t>(type);
}

/// The last gate before the wire. The reader leaves forbidden types out; were it ever to miss one, it must not leave.
bool MayLeave(const replica::RrSetView& rrset) {
  return dns::AllowedRrType(Code(rrset.type)).has_value();
}

/// An RRSIG's first two octets say what it covers (RFC 4034 §3.1.1); one that covers something else is not this one's.
bool Covers(OctetsView rrsig, RrType type) {
  OctetReader reader(rrsig);
  const std::uint16_t covered = reader.U16();
  return reader.ok() && covered == Code(type);
}

void AppendData(const replica::RrSetView& rrset, bool at_apex, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  // PowerDNS knows a cut by its NS records alone and wants them marked as what they are: not ours to vouch for.
  const bool authoritative = rrset.type != RrType::kNs || at_apex;
  for (const OctetsView rdata : rrset.rdatas) records.push_back({Code(rrset.type), rrset.ttl, rdata, authoritative});
}

void AppendSignatures(const replica::RrSetView& rrset, std::vector<AnswerRecord>& records) {
  if (!MayLeave(rrset)) return;
  for (const OctetsView rrsig : rrset.rrsigs)
    if (Covers(rrsig, rrset.type)) records.push_back({Code(RrType::kRrsig), rrset.ttl, rrsig});
}

/// Returns the node of exactly that hash, or nothing.
Result<std::optional<replica::NodeView>> FindNode(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash) {
  auto place = snapshot.Find(zone.record.generation, hash);
  if (!place) return tl::unexpected(place.error());
  if (!*place || !(*place)->exact) return std::nullopt;
  return std::move((*place)->node);
}

/// The TTL of NSEC3 records and their RRSIGs is the negative one, which PowerDNS takes from the SOA (RFC 9077) and sets
/// itself in answers; in transfers it is this one.
Result<dns::Ttl> NegativeTtl(replica::Snapshot& snapshot, const ServedZone& zone) {
  auto apex = FindNode(snapshot, zone, dns::Nsec3Hash(zone.apex));
  if (!apex) return tl::unexpected(apex.error());
  const replica::RrSetView* soa = *apex ? (*apex)->Find(RrType::kSoa) : nullptr;
  if (soa == nullptr || soa->rdatas.size() != 1 || soa->rdatas[0].size() < 4)
    return Fail(Reason::kEncodingMalformed, "zone " + zone.apex.Format(), "one SOA record at the apex", "none");
  // MINIMUM is the last number of the RDATA (RFC 1035 §3.3.13).
  OctetReader minimum(soa->rdatas[0].substr(soa->rdatas[0].size() - 4));
  return std::min(soa->ttl, minimum.U32());
}

void AppendOfType(const replica::NodeView& node, std::uint16_t type, bool at_apex, std::vector<AnswerRecord>& records) {
  if (type == Code(RrType::kRrsig)) {
    for (const auto& rrset : node.rrsets) AppendSignatures(rrset, records);
    return;
  }
  for (const auto& rrset : node.rrsets)
    if (type == kAnyType || type == Code(rrset.type)) AppendData(rrset, at_apex, records);
  if (type == kAnyType && node.rrsets.empty()) records.push_back({});
}

int Base32HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'v') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'V') return digit - 'A' + 10;
  return -1;
}

Result<std::optional<ServedZone>> Served(dns::Name apex, Result<std::optional<replica::ZoneRecord>> record) {
  if (!record) return tl::unexpected(record.error());
  if (!*record) return std::nullopt;
  return ServedZone{std::move(apex), **record};
}

}  // namespace

Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, const dns::Name& apex) {
  return Served(apex, snapshot.FindZone(apex.wire()));
}

Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, replica::ZoneNumber number) {
  auto wire = snapshot.FindApex(number);
  if (!wire) return tl::unexpected(wire.error());
  if (!*wire) return std::nullopt;
  auto apex = dns::Name::FromWire(**wire, "zone of the replica");
  if (!apex) return tl::unexpected(apex.error());
  return FindServedZone(snapshot, *apex);
}

Result<std::optional<ServedZone>> FindEnclosingZone(replica::Snapshot& snapshot, dns::Name name) {
  while (true) {
    auto zone = FindServedZone(snapshot, name);
    if (!zone || *zone || name.IsRoot()) return zone;
    name = name.Parent();
  }
}

Result<std::vector<AnswerRecord>> FindRecords(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question) {
  std::vector<AnswerRecord> records;
  // Names of name servers lie elsewhere; PowerDNS looks for their addresses in the zone all the same.
  if (!question.name.IsAtOrBelow(zone.apex)) return records;

  auto node = FindNode(snapshot, zone, dns::Nsec3Hash(question.name));
  if (!node) return tl::unexpected(node.error());
  if (*node) AppendOfType(**node, question.type, question.name == zone.apex, records);

  if (question.type != Code(RrType::kRrsig) || !question.internal) return records;
  // An identity's name may look like a hash: both are answered, and PowerDNS picks by the type that is covered.
  const auto hash = HashOfNsec3Owner(zone.apex, question.name);
  if (!hash) return records;
  auto denied = FindNode(snapshot, zone, *hash);
  if (!denied) return tl::unexpected(denied.error());
  if (*denied && Covers((*denied)->denial_rrsig, RrType::kNsec3)) {
    auto ttl = NegativeTtl(snapshot, zone);
    if (!ttl) return tl::unexpected(ttl.error());
    records.push_back({Code(RrType::kRrsig), *ttl, (*denied)->denial_rrsig});
  }
  return records;
}

Result<std::optional<DenialPlace>> FindDenial(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash) {
  auto place = snapshot.Find(zone.record.generation, hash);
  if (!place) return tl::unexpected(place.error());
  if (!*place) return std::nullopt;
  const replica::NodeView& node = (*place)->node;
  return DenialPlace{node.key, node.next, node.owner};
}

std::optional<dns::DenialKey> HashOfNsec3Owner(const dns::Name& apex, const dns::Name& owner) {
  if (owner.label_count() != apex.label_count() + 1 || !owner.IsAtOrBelow(apex)) return std::nullopt;
  return DecodeHash(owner.FirstLabel());
}

std::optional<dns::DenialKey> DecodeHash(OctetsView label) {
  if (label.size() * 5 != dns::kNsec3HashOctets * 8) return std::nullopt;
  dns::DenialKey hash;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char digit : label) {
    const int value = Base32HexDigit(digit);
    if (value < 0) return std::nullopt;
    bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xffff;
    count += 5;
    if (count >= 8) hash.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return hash;
}

Result<std::optional<ZoneListing::Entry>> ZoneListing::Next(replica::Snapshot& snapshot) {
  if (denial_) return std::exchange(denial_, std::nullopt);
  if (ended_) return std::nullopt;
  auto node = snapshot.After(zone_.record.generation, last_);
  if (!node) return tl::unexpected(node.error());
  if (!*node) {
    ended_ = true;
    return std::nullopt;
  }
  auto ttl = NegativeTtl(snapshot, zone_);
  if (!ttl) return tl::unexpected(ttl.error());
  auto owner = dns::Name::FromWire((*node)->owner, "node of the replica");
  if (!owner) return tl::unexpected(owner.error());

  Entry entry{*std::move(owner), {}};
  for (const auto& rrset : (*node)->rrsets) {
    if (rrset.type != RrType::kNsec3Param) AppendData(rrset, entry.owner == zone_.apex, entry.records);
    AppendSignatures(rrset, entry.records);
  }
  if ((*node)->rrsets.empty()) entry.records.push_back({});
  last_ = (*node)->key;
  denial_ = Entry{dns::Nsec3Owner(last_, zone_.apex), {}};
  if (Covers((*node)->denial_rrsig, RrType::kNsec3)) denial_->records.push_back({Code(RrType::kRrsig), *ttl, (*node)->denial_rrsig});
  return entry;
}

}  // namespace idzone::nameserver
