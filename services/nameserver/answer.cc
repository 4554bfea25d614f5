// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/answer.h"

#include <algorithm>
#include <utility>

#include "services/core/dns/rr_type.h"

namespace idzone::nameserver {
namespace {

using dns::RrType;

/// Characters of an NSEC3 label: 160 bits in digits of five.
constexpr std::size_t kLabelOctets = dns::kNsec3HashOctets * 8 / 5;

/// Looks for a key and believes a miss only from the node that covers it: a damaged tree could lead anywhere.
Result<std::optional<replica::Place>> FindPlace(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView key) {
  auto place = snapshot.Find(zone.record.generation, key);
  if (!place) return place;
  if (!*place) return Fail(Reason::kEncodingMalformed, "zone " + zone.apex.Format(), "nodes", "none");
  if (auto covers = CheckCovers(zone, **place, key); !covers) return tl::unexpected(covers.error());
  return place;
}

DenialPlace PlaceOf(const replica::NodeView& node) {
  return {node.owner, node.key, node.next};
}

}  // namespace

Result<const ServedZone*> Answerer::FindZone(replica::Snapshot& snapshot, replica::ZoneNumber number) {
  if (const ServedZone* known = memo_.FindZone(number)) return known;
  auto zone = FindServedZone(snapshot, number);
  if (!zone) return tl::unexpected(zone.error());
  if (!*zone) return nullptr;
  return &memo_.AddZone(std::move(**zone));
}

/// Returns what is known of the name, looking for it when nothing is; null when it lies outside the zone.
Result<Known*> Answerer::LookFor(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question) {
  if (Known* known = memo_.FindName(zone, question.name, !question.internal)) return known;
  const auto name = dns::Name::FromWire(question.name, "question");
  if (!name) return tl::unexpected(name.error());
  // Names of name servers lie elsewhere; PowerDNS looks for their addresses in the zone all the same.
  if (!name->IsAtOrBelow(zone.apex)) return nullptr;
  Known known{.zone = zone.record.number, .name = Octets(question.name), .key = LookUpKey(zone, *name)};
  auto place = FindPlace(snapshot, zone, known.key);
  if (!place) return tl::unexpected(place.error());
  known.place = *std::move(place);
  return *name == zone.apex ? &memo_.AddApex(zone, std::move(known)) : &memo_.Add(std::move(known), !question.internal);
}

void Answerer::CountForbidden(const replica::NodeView& node) {
  if (node.forbidden > 0 && served_ != nullptr) served_->CountForbidden(node.forbidden);
}

void Answerer::AppendTypes(const ServedZone& zone, const Known& known, std::vector<AnswerRecord>& records) {
  const replica::NodeView& node = known.place->node;
  CountForbidden(node);
  for (const auto& rrset : node.rrsets) AppendType(rrset, node.owner == zone.apex.wire(), records);
}

const std::vector<AnswerRecord>& Answerer::DataOf(const ServedZone& zone, Known& known) {
  if (known.data) return *known.data;
  std::vector<AnswerRecord> data;
  const replica::NodeView& node = known.place->node;
  CountForbidden(node);
  for (const auto& rrset : node.rrsets) AppendData(rrset, node.owner == zone.apex.wire(), make_, data);
  return known.data.emplace(std::move(data));
}

Result<const std::vector<AnswerRecord>*> Answerer::SignaturesOf(replica::Snapshot& snapshot, const ServedZone& zone, Known& known) {
  // The NSEC record stands at the name, and PowerDNS asks for all signatures there at once.
  if (zone.record.denial == dns::DenialKind::kNsec) {
    const replica::NodeView& node = known.place->node;
    if (auto valid = CheckNotExpired(DenialExpiryOf(node.denial_rrsig), now_, node.owner); !valid) return tl::unexpected(valid.error());
  }
  if (known.signatures) return &*known.signatures;
  const auto negative_ttl = NegativeTtlOf(snapshot, zone);
  if (!negative_ttl) return tl::unexpected(negative_ttl.error());
  std::vector<AnswerRecord> signatures;
  for (const auto& rrset : known.place->node.rrsets) AppendSignatures(rrset, make_, signatures);
  if (zone.record.denial == dns::DenialKind::kNsec)
    AppendDenialSignature(known.place->node, RrType::kNsec, *negative_ttl, make_, signatures);
  return &known.signatures.emplace(std::move(signatures));
}

/// Of the apex, an answer about another name has the SOA record alone (RFC 2308 §3), whose signatures are then all that is
/// wanted of its many. In an NSEC zone the apex's denial record has the same name.
bool Answerer::IsSoaAlone(const ServedZone& zone, const Question& question) const {
  return question.internal && target_ == Target::kOther && zone.record.denial == dns::DenialKind::kNsec3 &&
         question.name == zone.apex.wire();
}

Result<void> Answerer::FindRecords(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question,
                                   std::vector<AnswerRecord>& records) {
  if (!question.internal && target_ == Target::kUnknown) target_ = question.name == zone.apex.wire() ? Target::kApex : Target::kOther;
  const bool signatures = question.type == Code(RrType::kRrsig);
  if (signatures && question.internal && zone.record.denial == dns::DenialKind::kNsec3) {
    if (const auto hash = HashOfNsec3Owner(zone.apex, question.name)) {
      // An identity's name may look like a hash: both are answered, and PowerDNS picks by the type that is covered.
      const std::size_t before = records.size();
      if (auto appended = AppendNsec3Signature(snapshot, zone, *hash, records); !appended) return appended;
      // A name whose own signatures are wanted was asked for in this query before.
      if (records.size() > before && memo_.FindName(zone, question.name, false) == nullptr) return {};
    }
  }
  const auto known = LookFor(snapshot, zone, question);
  if (!known) return tl::unexpected(known.error());
  // The memo may know the name as that of a node which denies another one.
  if (*known == nullptr) return {};
  if (!(*known)->Holds(question.name)) {
    // RFC 4034 has no record at an empty non-terminal of an NSEC zone; that there are names below makes it one.
    const bool empty = (*known)->place && (*known)->place->names_below && zone.record.denial == dns::DenialKind::kNsec;
    if (empty && question.type == kAnyType) records.push_back({});
    return {};
  }
  if (!(*known)->expiry) (*known)->expiry.emplace(ExpiryOf((*known)->place->node));
  if (auto valid = CheckNotExpired(*(*known)->expiry, now_, question.name); !valid) return valid;
  if (signatures) {
    const auto all = SignaturesOf(snapshot, zone, **known);
    if (!all) return tl::unexpected(all.error());
    const bool soa_alone = IsSoaAlone(zone, question);
    for (const AnswerRecord& signature : **all)
      if (!soa_alone || signature.covers == Code(RrType::kSoa)) records.push_back(signature);
    return {};
  }
  const bool any = question.type == kAnyType;
  if (any && (*known)->place->node.rrsets.empty()) {
    records.push_back({});
  } else if (any && question.internal) {
    AppendTypes(zone, **known, records);
  } else {
    for (const AnswerRecord& record : DataOf(zone, **known))
      if (any || question.type == record.type) records.push_back(record);
  }
  return {};
}

Result<dns::Ttl> Answerer::NegativeTtlOf(replica::Snapshot& snapshot, const ServedZone& zone) {
  const auto apex = LookFor(snapshot, zone, {.name = zone.apex.wire(), .internal = true});
  if (!apex) return tl::unexpected(apex.error());
  return NegativeTtl(zone, (*apex)->Holds(zone.apex.wire()) ? &(*apex)->place->node : nullptr);
}

Result<void> Answerer::AppendNsec3Signature(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash,
                                            std::vector<AnswerRecord>& records) {
  const auto ttl = NegativeTtlOf(snapshot, zone);
  if (!ttl) return tl::unexpected(ttl.error());
  const Known* met = memo_.FindNode(zone, hash);
  std::optional<replica::Place> place;
  if (met == nullptr) {
    auto found = FindPlace(snapshot, zone, hash);
    if (!found) return tl::unexpected(found.error());
    place = *std::move(found);
    if (!place || !place->exact) return {};
  }
  const replica::NodeView& node = met != nullptr ? met->place->node : place->node;
  if (auto valid = CheckNotExpired(DenialExpiryOf(node.denial_rrsig), now_, node.owner); !valid) return valid;
  AppendDenialSignature(node, RrType::kNsec3, *ttl, make_, records);
  return {};
}

Result<std::optional<DenialPlace>> Answerer::FindNsec(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView name) {
  const auto known = LookFor(snapshot, zone, {.name = name, .internal = true});
  if (!known) return tl::unexpected(known.error());
  if (*known == nullptr || !(*known)->place) return std::nullopt;
  return PlaceOf((*known)->place->node);
}

Result<std::optional<DenialPlace>> Answerer::FindNsec3(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash) {
  const Known* known = memo_.FindKey(zone, hash);
  if (known == nullptr) {
    auto place = FindPlace(snapshot, zone, hash);
    if (!place) return tl::unexpected(place.error());
    known = &memo_.Add({.zone = zone.record.number, .key = dns::DenialKey(hash), .place = *std::move(place)}, false);
  }
  if (!known->place) return std::nullopt;
  return PlaceOf(known->place->node);
}

std::optional<dns::DenialKey> HashOfNsec3Owner(const dns::Name& apex, OctetsView owner) {
  if (owner.size() != 1 + kLabelOctets + apex.wire().size() || owner[0] != static_cast<char>(kLabelOctets)) return std::nullopt;
  if (owner.substr(1 + kLabelOctets) != apex.wire()) return std::nullopt;
  return DecodeHash(owner.substr(1, kLabelOctets));
}

std::optional<dns::DenialKey> DecodeHash(OctetsView label) {
  if (label.size() != kLabelOctets) return std::nullopt;
  return Base32HexDecode(label);
}

}  // namespace idzone::nameserver
