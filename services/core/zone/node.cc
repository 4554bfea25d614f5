// SPDX-License-Identifier: MIT
#include "services/core/zone/node.h"

#include <algorithm>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

constexpr std::uint8_t kHasData = 1;
constexpr std::uint8_t kHasDenial = 2;
constexpr std::uint8_t kRemoved = 4;

tl::unexpected<Error> Malformed(const dns::Name& owner, std::string expected, std::string met) {
  return Fail(Reason::kEncodingMalformed, "records of " + owner.Format(), std::move(expected), std::move(met));
}

Result<std::vector<Octets>> TakeList(OctetReader& reader, std::size_t most, const dns::Name& owner) {
  const std::size_t count = reader.U8();
  if (count > most)
    return Fail(Reason::kLimitExceeded, "records of " + owner.Format(), "at most " + std::to_string(most), std::to_string(count));
  std::vector<Octets> list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    list.emplace_back(reader.U16Sized());
    if (list.back().empty() || list.back().size() > limits::kRdataOctetsMax)
      return Malformed(owner, "records of 1 to 4096 octets", std::to_string(list.back().size()));
  }
  return list;
}

/// A key is a hash, or a name of the zone.
Result<void> CheckKey(const dns::DenialKey& key, const dns::Name& zone, dns::DenialKind denial) {
  if (denial == dns::DenialKind::kNsec) {
    if (auto name = dns::CanonicalName(key, zone); !name) return tl::unexpected(name.error());
  } else if (key.size() != dns::kNsec3HashOctets) {
    return Malformed(zone, "a key of 20 octets", std::to_string(key.size()));
  }
  return {};
}

Result<NodeChange::Data> TakeData(OctetReader& reader, const dns::DenialKey& key, const dns::Name& zone, dns::DenialKind denial) {
  const OctetsView wire = reader.U8Sized();
  auto owner = dns::Name::FromWire(wire, "owner in " + zone.Format());
  if (!owner) return tl::unexpected(owner.error());
  if (owner->wire() != wire) return Malformed(*owner, "an owner in lower case", HexEncode(wire));
  if (!owner->IsAtOrBelow(zone)) return Fail(Reason::kNameOutsideSuffix, "owner", "a name at or below " + zone.Format(), owner->Format());
  // The key of an NSEC zone is read, and not made from the owner: a label with 0x00 has none.
  const bool fits = denial == dns::DenialKind::kNsec ? dns::CanonicalName(key, zone) == *owner : dns::Nsec3Hash(*owner) == key;
  if (!fits) return Malformed(*owner, "the owner's own key", HexEncode(key));
  auto rrsets = DecodeRrSets(reader.U32Sized(), *owner);
  if (!rrsets) return tl::unexpected(rrsets.error());
  if (denial == dns::DenialKind::kNsec && rrsets->empty()) return Malformed(*owner, "RRsets at each name of an NSEC zone", "none");
  return NodeChange::Data{std::move(*owner), std::move(*rrsets)};
}

Result<Denial> TakeDenial(OctetReader& reader, const dns::Name& zone, dns::DenialKind kind) {
  Denial denial{Octets(reader.U8Sized()), Octets(reader.U16Sized())};
  if (auto next = dns::KeyOfDenialNext(kind, denial.next, zone); !next) return tl::unexpected(next.error());
  if (denial.rrsig.empty()) return Malformed(zone, "a signature of a denial record", "none");
  return denial;
}

}  // namespace

const dns::RrSet* Node::Find(dns::RrType type) const {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const dns::RrSet& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

std::vector<dns::RrType> Node::Types() const {
  std::vector<dns::RrType> types;
  for (const dns::RrSet& rrset : rrsets) types.push_back(rrset.type);
  return types;
}

Octets EncodeRrSets(const std::vector<dns::RrSet>& rrsets) {
  IDZONE_INVARIANT(rrsets.size() <= limits::kRrSetsPerNodeMax, "a node has at most kRrSetsPerNodeMax RRsets");
  Octets octets;
  OctetWriter writer(octets);
  writer.U8(static_cast<std::uint8_t>(rrsets.size()));
  for (const dns::RrSet& rrset : rrsets) {
    IDZONE_INVARIANT(dns::AllowedRrType(static_cast<std::uint16_t>(rrset.type)), "only allowed types are encoded");
    writer.U16(static_cast<std::uint16_t>(rrset.type));
    writer.U32(rrset.ttl);
    for (const auto* list : {&rrset.rdatas, &rrset.rrsigs}) {
      writer.U8(static_cast<std::uint8_t>(list->size()));
      for (const Octets& rdata : *list) writer.U16Sized(rdata);
    }
  }
  return octets;
}

Result<std::vector<dns::RrSet>> DecodeRrSets(OctetsView octets, const dns::Name& owner) {
  OctetReader reader(octets);
  const std::size_t count = reader.U8();
  if (count > limits::kRrSetsPerNodeMax) return Malformed(owner, "at most 16 RRsets", std::to_string(count));
  std::vector<dns::RrSet> rrsets;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t code = reader.U16();
    const auto type = dns::AllowedRrType(code);
    if (!reader.ok()) break;
    if (!type)
      return Fail(Reason::kRecordTypeForbidden, "records of " + owner.Format(), "a type of the allow-list", "type " + std::to_string(code));
    dns::RrSet rrset{.type = *type, .ttl = reader.U32(), .rdatas = {}, .rrsigs = {}};
    auto rdatas = TakeList(reader, limits::kRdatasPerRrSetMax + limits::kNameServersMax, owner);
    if (!rdatas) return tl::unexpected(rdatas.error());
    auto rrsigs = TakeList(reader, limits::kRrsigsPerRrSetMax, owner);
    if (!rrsigs) return tl::unexpected(rrsigs.error());
    rrset.rdatas = std::move(*rdatas);
    rrset.rrsigs = std::move(*rrsigs);
    if (rrset.rdatas.empty()) return Malformed(owner, "at least one record an RRset", "none");
    if (!rrsets.empty() && rrsets.back().type >= rrset.type) return Malformed(owner, "RRsets ascending by type", "others");
    rrsets.push_back(std::move(rrset));
  }
  if (!reader.ok() || !reader.at_end()) return Malformed(owner, "exactly the announced records", "other octets");
  return rrsets;
}

Octets EncodeDelta(const std::vector<NodeChange>& changes) {
  Octets octets;
  OctetWriter writer(octets);
  for (const NodeChange& change : changes) {
    IDZONE_INVARIANT(change.removed != (change.data || change.denial), "a change either removes a node or says something");
    writer.U8(static_cast<std::uint8_t>((change.data ? kHasData : 0) | (change.denial ? kHasDenial : 0) | (change.removed ? kRemoved : 0)));
    writer.U8Sized(change.key);
    if (change.data) {
      writer.U8Sized(change.data->owner.wire());
      writer.U32Sized(EncodeRrSets(change.data->rrsets));
    }
    if (change.denial) {
      writer.U8Sized(change.denial->next);
      writer.U16Sized(change.denial->rrsig);
    }
  }
  return octets;
}

Result<std::vector<NodeChange>> DecodeDelta(OctetsView octets, const dns::Name& zone, dns::DenialKind denial) {
  OctetReader reader(octets);
  std::vector<NodeChange> changes;
  while (reader.ok() && !reader.at_end()) {
    const std::uint8_t flags = reader.U8();
    NodeChange change;
    change.key = Octets(reader.U8Sized());
    change.removed = (flags & kRemoved) != 0;
    if (flags == 0 || flags > kRemoved) return Malformed(zone, "a change with known flags", "flags " + std::to_string(flags));
    if (auto checked = CheckKey(change.key, zone, denial); !checked) return tl::unexpected(checked.error());
    if ((flags & kHasData) != 0) {
      auto data = TakeData(reader, change.key, zone, denial);
      if (!data) return tl::unexpected(data.error());
      change.data = std::move(*data);
    }
    if ((flags & kHasDenial) != 0) {
      auto taken = TakeDenial(reader, zone, denial);
      if (!taken) return tl::unexpected(taken.error());
      change.denial = std::move(*taken);
    }
    if (!changes.empty() && changes.back().key >= change.key) return Malformed(zone, "changes ascending by key", "others");
    changes.push_back(std::move(change));
  }
  if (!reader.ok()) return Malformed(zone, "whole changes", "the end of the octets");
  return changes;
}

}  // namespace idzone::zone
