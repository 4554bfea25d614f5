// SPDX-License-Identifier: MIT
#include "services/replica/format.h"

#include <algorithm>

#include <xxhash.h>

#include "services/core/base/limits.h"

namespace idzone::replica {
namespace {

constexpr std::size_t kChecksumOctets = 8;
constexpr std::size_t kGenerationOctets = 4;

/// The key seeds the checksum of the value, so that a value under another key does not fit.
std::uint64_t Checksum(OctetsView key, OctetsView content) {
  return XXH3_64bits_withSeed(content.data(), content.size(), XXH3_64bits(key.data(), key.size()));
}

Octets Seal(OctetsView key, OctetsView content) {
  Octets value;
  value.reserve(kChecksumOctets + content.size());
  OctetWriter writer(value);
  writer.U64(Checksum(key, content));
  writer.Raw(content);
  return value;
}

Result<OctetsView> Unseal(OctetsView key, OctetsView value, std::string_view what) {
  OctetReader reader(value);
  const std::uint64_t checksum = reader.U64();
  const OctetsView content = reader.Raw(reader.remaining());
  if (!reader.ok() || checksum != Checksum(key, content))
    return Fail(Reason::kEncodingMalformed, std::string(what), "a value whose checksum is right", "another");
  return content;
}

tl::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Reason::kEncodingMalformed, std::string(what), "the fields of replica format " + std::to_string(kFormatVersion),
              "other octets");
}

void TakeList(OctetReader& reader, std::vector<OctetsView>& list) {
  for (std::size_t left = reader.U8(); left > 0 && reader.ok(); --left) list.push_back(reader.U16Sized());
}

}  // namespace

const RrSetView* NodeView::Find(dns::RrType type) const {
  const auto found = std::find_if(rrsets.begin(), rrsets.end(), [&](const RrSetView& rrset) { return rrset.type == type; });
  return found == rrsets.end() ? nullptr : &*found;
}

Octets EncodeNodeKey(Generation generation, OctetsView denial_key) {
  Octets key;
  key.reserve(kGenerationOctets + denial_key.size());
  OctetWriter writer(key);
  writer.U32(generation);
  writer.Raw(denial_key);
  return key;
}

Octets EncodeNode(OctetsView node_key, const zone::Node& node) {
  Octets content;
  OctetWriter writer(content);
  writer.U8Sized(node.owner.wire());
  writer.U8Sized(node.denial.next);
  writer.U16Sized(node.denial.rrsig);
  writer.Raw(zone::EncodeRrSets(node.rrsets));
  return Seal(node_key, content);
}

Result<NodeView> DecodeNode(OctetsView node_key, OctetsView value) {
  const auto content = Unseal(node_key, value, "node");
  if (!content) return tl::unexpected(content.error());
  OctetReader reader(*content);
  NodeView node;
  node.stored_key = node_key;
  node.stored_value = value;
  node.key = node_key.substr(std::min(kGenerationOctets, node_key.size()));
  node.owner = reader.U8Sized();
  node.next = reader.U8Sized();
  node.denial_rrsig = reader.U16Sized();
  const std::size_t count = reader.U8();
  node.rrsets.reserve(count);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const auto type = dns::AllowedRrType(reader.U16());
    RrSetView rrset{.type = type.value_or(dns::RrType::kTlsa), .ttl = reader.U32(), .rdatas = {}, .rrsigs = {}};
    TakeList(reader, rrset.rdatas);
    TakeList(reader, rrset.rrsigs);
    // The allow-list's last gate: what is not in it does not leave the replica.
    if (type) {
      node.rrsets.push_back(std::move(rrset));
    } else {
      ++node.forbidden;
    }
  }
  if (!reader.ok() || !reader.at_end() || node.key.empty() || node.owner.empty() || node.next.empty()) return Malformed("node");
  return node;
}

Result<zone::Node> ToNode(const NodeView& view) {
  auto owner = dns::Name::FromWire(view.owner, "node owner");
  if (!owner) return tl::unexpected(owner.error());
  zone::Node node{.owner = std::move(*owner), .rrsets = {}, .denial = {Octets(view.next), Octets(view.denial_rrsig)}};
  for (const RrSetView& rrset : view.rrsets)
    node.rrsets.push_back({.type = rrset.type,
                           .ttl = rrset.ttl,
                           .rdatas = std::vector<Octets>(rrset.rdatas.begin(), rrset.rdatas.end()),
                           .rrsigs = std::vector<Octets>(rrset.rrsigs.begin(), rrset.rrsigs.end())});
  return node;
}

Octets EncodeZoneRecord(OctetsView zone, const ZoneRecord& record) {
  Octets content;
  OctetWriter writer(content);
  writer.U32(record.number);
  writer.U32(record.generation);
  writer.U32(record.position.epoch);
  writer.U32(record.position.serial);
  writer.U8Sized(record.position.digest);
  writer.U8(static_cast<std::uint8_t>(record.denial));
  return Seal(zone, content);
}

Result<ZoneRecord> DecodeZoneRecord(OctetsView zone, OctetsView value) {
  const auto content = Unseal(zone, value, "zone record");
  if (!content) return tl::unexpected(content.error());
  OctetReader reader(*content);
  ZoneRecord record;
  record.number = reader.U32();
  record.generation = reader.U32();
  record.position.epoch = reader.U32();
  record.position.serial = reader.U32();
  record.position.digest = Octets(reader.U8Sized());
  // Version 1 had NSEC3 only, and did not say so.
  const bool version1 = reader.ok() && reader.at_end();
  const auto denial = version1 ? dns::DenialKind::kNsec3 : static_cast<dns::DenialKind>(reader.U8());
  const bool known = denial == dns::DenialKind::kNsec3 || denial == dns::DenialKind::kNsec;
  if (!reader.ok() || !reader.at_end() || !known) return Malformed("zone record");
  record.denial = denial;
  return record;
}

Octets EncodePins(OctetsView zone, const std::vector<Octets>& pins) {
  Octets content;
  OctetWriter writer(content);
  writer.U8(static_cast<std::uint8_t>(pins.size()));
  for (const Octets& pin : pins) writer.U16Sized(pin);
  return Seal(zone, content);
}

Result<std::vector<Octets>> DecodePins(OctetsView zone, OctetsView value) {
  const auto content = Unseal(zone, value, "pins");
  if (!content) return tl::unexpected(content.error());
  OctetReader reader(*content);
  std::vector<OctetsView> views;
  TakeList(reader, views);
  if (!reader.ok() || !reader.at_end()) return Malformed("pins");
  return std::vector<Octets>(views.begin(), views.end());
}

Octets EncodeSequence(std::uint64_t sequence) {
  Octets octets;
  OctetWriter(octets).U64(sequence);
  return octets;
}

Result<std::uint64_t> DecodeSequence(OctetsView key) {
  OctetReader reader(key);
  const std::uint64_t sequence = reader.U64();
  if (!reader.ok() || !reader.at_end()) return Malformed("sequence of changes");
  return sequence;
}

Octets EncodeChangedNames(OctetsView key, const std::vector<ChangedName>& names) {
  Octets content;
  OctetWriter writer(content);
  for (const ChangedName& changed : names) {
    writer.U8(static_cast<std::uint8_t>(changed.scope));
    writer.U8Sized(changed.name);
  }
  return Seal(key, content);
}

Result<std::vector<ChangedName>> DecodeChangedNames(OctetsView key, OctetsView value) {
  const auto content = Unseal(key, value, "changed names");
  if (!content) return tl::unexpected(content.error());
  OctetReader reader(*content);
  std::vector<ChangedName> names;
  while (reader.ok() && !reader.at_end()) {
    const auto scope = static_cast<ChangeScope>(reader.U8());
    Octets name(reader.U8Sized());
    if (scope < ChangeScope::kName || scope > ChangeScope::kZone || name.empty()) return Malformed("changed names");
    names.push_back({scope, std::move(name)});
  }
  if (!reader.ok()) return Malformed("changed names");
  return names;
}

Octets EncodeNumber(std::uint32_t number) {
  Octets octets;
  OctetWriter(octets).U32(number);
  return octets;
}

Result<std::uint32_t> DecodeNumber(OctetsView value, std::string_view subject) {
  OctetReader reader(value);
  const std::uint32_t number = reader.U32();
  if (!reader.ok() || !reader.at_end()) return Malformed(subject);
  return number;
}

}  // namespace idzone::replica
