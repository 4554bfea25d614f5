// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "services/core/dns/denial.h"
#include "services/core/dns/name.h"
#include "services/replica/reader.h"

/// What the replica says to one of PowerDNS's questions. It knows nothing of PowerDNS but its way of asking: PowerDNS
/// takes answers together itself, from several look-ups, and rebuilds the denial records of pre-signed zones.
///
/// Errors: ENCODING_MALFORMED when the replica is damaged, or holds what nothing may answer. Views are valid until the
/// snapshot is renewed or released. Requires, for all: a held snapshot. Threads: those of the snapshot.
namespace idzone::nameserver {

/// PowerDNS's number for "whatever is there" (RFC 1035 §3.2.3) and its own for an empty non-terminal.
inline constexpr std::uint16_t kAnyType = 255;
inline constexpr std::uint16_t kEmptyType = 0;

struct Question {
  std::uint16_t type = kAnyType;
  dns::Name name;
  /// PowerDNS asks for itself, not on behalf of a client's literal question. Only it may see what lies at the owner of
  /// an NSEC3 record: to clients such a name does not exist (RFC 5155 §7.2.8).
  bool internal = false;
};

/// A record to answer with. Its owner is the name that was asked, in the letters that were asked.
struct AnswerRecord {
  std::uint16_t type = kEmptyType;
  dns::Ttl ttl = 0;
  OctetsView rdata;
  bool authoritative = true;  // false: NS records of a cut
};

struct ServedZone {
  dns::Name apex;
  replica::ZoneRecord record;
};

/// A name's place in the denial chain.
struct DenialPlace {
  OctetsView before;  // 20 octets: the hash of the NSEC3 record that matches or covers
  OctetsView after;   // 20 octets: the one that follows
  OctetsView owner;   // wire form: whose hash `before` is
};

/// Returns the zone of that apex, or nothing.
Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, const dns::Name& apex);
/// Returns the zone of that number, or nothing.
Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, replica::ZoneNumber number);
/// Returns the zone that a name lies in, the longest one, or nothing.
Result<std::optional<ServedZone>> FindEnclosingZone(replica::Snapshot& snapshot, dns::Name name);

/// Returns the records of a name; none when the name or the type does not exist. ANY leaves out RRSIGs, because PowerDNS
/// asks for them by name; an empty non-terminal answers ANY with one record of kEmptyType. Wildcards are names like any other.
Result<std::vector<AnswerRecord>> FindRecords(replica::Snapshot& snapshot, const ServedZone& zone, const Question& question);

/// Returns the place of an NSEC3 hash; nothing when the zone holds no node.
Result<std::optional<DenialPlace>> FindDenial(replica::Snapshot& snapshot, const ServedZone& zone, OctetsView hash);

/// Returns the hash that the first label of `owner` spells in base32hex, if it is a name right below the apex that can
/// be the owner of an NSEC3 record (RFC 5155 §3).
std::optional<dns::DenialKey> HashOfNsec3Owner(const dns::Name& apex, const dns::Name& owner);
/// Returns the 20 octets that 32 base32hex digits of either case spell.
std::optional<dns::DenialKey> DecodeHash(OctetsView label);

/// A whole zone for a transfer, node by node in the order of the hashes. PowerDNS wants it as a pre-signed zone looks to
/// its own database: every RRset with its RRSIGs, an empty record at each empty non-terminal, the RRSIG of each NSEC3
/// record at <hash>.<zone>, but neither NSEC3 records (it rebuilds them) nor NSEC3PARAM (it adds that itself).
class ZoneListing {
 public:
  struct Entry {
    dns::Name owner;
    std::vector<AnswerRecord> records;
  };

  explicit ZoneListing(ServedZone zone) : zone_(std::move(zone)) {}

  /// Returns the next owner and its records, or nothing after the last.
  Result<std::optional<Entry>> Next(replica::Snapshot& snapshot);

  const ServedZone& zone() const { return zone_; }

 private:
  ServedZone zone_;
  dns::DenialKey last_;
  std::optional<Entry> denial_;  // what is said at the NSEC3 owner of the node that was returned last
  bool ended_ = false;
};

}  // namespace idzone::nameserver
