// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"

/// Keys and values of the replica, as FORMAT.md describes them. Whatever reads here treats the file as untrusted: a
/// value whose checksum is wrong is an error, a record of a type outside the allow-list is left out.
namespace idzone::replica {

/// Raised when an older reader could misread a newer file. The version before it is read, and raised by the writer.
inline constexpr std::uint32_t kFormatVersion = 3;

/// A zone's filling: every snapshot fills a new one, and a flip makes it the zone's. Never reused.
using Generation = std::uint32_t;
/// A zone's number: given once, kept through snapshots, so that PowerDNS may hold it.
using ZoneNumber = std::uint32_t;

// The trees (LMDB named databases) of the environment.
inline constexpr const char* kMetaTree = "meta";              // "format" -> u32 version, "next" -> u32 number not yet given
inline constexpr const char* kZoneTree = "zone";              // zone, wire form -> ZoneRecord
inline constexpr const char* kZoneNumberTree = "number";      // u32 zone number -> zone, wire form
inline constexpr const char* kPinTree = "pin";                // zone, wire form -> pins
inline constexpr const char* kGenerationTree = "generation";  // u32 generation -> u8 state
inline constexpr const char* kNodeTree = "node";              // u32 generation, denial key -> node
inline constexpr const char* kChangeTree = "change";          // u64 sequence -> changed names
inline constexpr unsigned kTreeCount = 7;

/// What becomes of a generation's nodes. Only a live one is read; the others are removed when the writer opens.
enum class GenerationState : std::uint8_t { kFilling = 1, kLive = 2, kRemoving = 3 };

/// What else a change of a name touches, beside answers about that very name.
enum class ChangeScope : std::uint8_t {
  kName = 1,
  kBelow = 2,  // answers about all names below it: it is a zone, a cut, or the parent of a wildcard
  kZone = 3,   // as kBelow, of a zone that was made, replaced or removed
};

/// A name about which answers may have become stale.
struct ChangedName {
  ChangeScope scope = ChangeScope::kName;
  Octets name;  // wire form, lower case

  friend auto operator<=>(const ChangedName&, const ChangedName&) = default;
};

/// What the replica knows of a zone.
struct ZoneRecord {
  ZoneNumber number = 0;
  Generation generation = 0;
  zone::ZonePosition position;
  dns::DenialKind denial = dns::DenialKind::kNsec3;

  friend bool operator==(const ZoneRecord&, const ZoneRecord&) = default;
};

/// An RRset whose octets lie in the map. Valid as long as the snapshot that it was read from.
struct RrSetView {
  dns::RrType type = dns::RrType::kTlsa;
  dns::Ttl ttl = 0;
  std::vector<OctetsView> rdatas;
  std::vector<OctetsView> rrsigs;
};

/// A node whose octets lie in the map. Valid as long as the snapshot that it was read from.
struct NodeView {
  OctetsView key;    // the owner's denial key: its NSEC3 hash, or its canonical key in an NSEC zone
  OctetsView owner;  // wire form, lower case
  OctetsView next;   // what follows in the chain: an NSEC3 hash, or the wire form of a name
  OctetsView denial_rrsig;
  std::vector<RrSetView> rrsets;  // ascending by type, allowed types only
  // What it was decoded from: with a copy of both, DecodeNode makes a view that does not lie in the map.
  OctetsView stored_key;
  OctetsView stored_value;
  /// How many RRsets were left out because their type is not in the allow-list: somebody planted them.
  std::size_t forbidden = 0;

  const RrSetView* Find(dns::RrType type) const;
};

/// Requires: a key of 255 octets at most when a node is to be written; look-ups may use longer ones.
Octets EncodeNodeKey(Generation generation, OctetsView denial_key);

/// Returns checksum, owner, next, signature and RRsets. The key goes into the checksum, so that a value that
/// wandered to another key is noticed.
Octets EncodeNode(OctetsView node_key, const zone::Node& node);
/// Reads what EncodeNode wrote, without a copy. ENCODING_MALFORMED when the checksum or any length is wrong.
Result<NodeView> DecodeNode(OctetsView node_key, OctetsView value);
/// Returns a copy that outlives the snapshot.
Result<zone::Node> ToNode(const NodeView& view);

Octets EncodeZoneRecord(OctetsView zone, const ZoneRecord& record);
Result<ZoneRecord> DecodeZoneRecord(OctetsView zone, OctetsView value);

Octets EncodePins(OctetsView zone, const std::vector<Octets>& pins);
Result<std::vector<Octets>> DecodePins(OctetsView zone, OctetsView value);

/// Keys of the tree of changes, ascending in the order of commits.
Octets EncodeSequence(std::uint64_t sequence);
Result<std::uint64_t> DecodeSequence(OctetsView key);
Octets EncodeChangedNames(OctetsView key, const std::vector<ChangedName>& names);
Result<std::vector<ChangedName>> DecodeChangedNames(OctetsView key, OctetsView value);

Octets EncodeNumber(std::uint32_t number);
Result<std::uint32_t> DecodeNumber(OctetsView value, std::string_view subject);

}  // namespace idzone::replica
