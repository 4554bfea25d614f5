// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"

namespace idzone::replica {

/// Which keys a follower trusts for a zone: DS RDATA with SHA-256 digests (RFC 4509), called pins.
/// With an anchors file, only its zones are followed, beginning with its pins. Without one, the first keys that a zone shows
/// are trusted (trust on first use).
///
/// Pins follow key rollovers: an apex that a pinned key vouches for says which keys come next, in its DNSKEY RRset and, before
/// they are shown there, in CDS (RFC 7344). Its keys become the pins, kept in the replica with the version; those that left
/// the apex are no pins any more. It is RFC 5011 without its hold-down time: who can feed us a forged apex has the zone's key
/// already. What was learnt from an anchors file counts as long as the file says the same of the zone.
/// Limits: an edge that slept through a whole rollover is told nothing by the new keys: it needs an anchors file.

/// The DS records of an anchors file.
class AnchorSet {
 public:
  /// Reads lines such as `_device.acme.example. 3600 IN DS 12345 13 2 <hex>`; `;` and `#` begin a comment.
  /// NOT_FOUND when the file cannot be read; VALUE_MALFORMED with the line's number.
  static Result<AnchorSet> Read(const std::filesystem::path& file);
  /// The same, from text.
  static Result<AnchorSet> Parse(std::string_view text, const std::string& subject);

  /// Returns a zone's pins; none when the set does not name it.
  std::vector<Octets> Pins(const dns::Name& zone) const;

 private:
  std::map<dns::Name, std::vector<Octets>> pins_;
};

/// Returns the pins that a zone's keys give on first use: one for each key that signs (SEP flag, RFC 4034 §2.1.1).
std::vector<Octets> PinsOf(const dns::Name& zone, const dns::RrSet& dnskeys);

/// Returns the pins that count for a zone: `kept` in the replica, or those of the anchors.
std::vector<Octets> TrustedPins(const std::optional<AnchorSet>& anchors, const dns::Name& zone, const std::vector<Octets>& kept);

/// Returns what to keep in the replica after an apex was verified: the pins of its keys that sign, and of those that come.
/// With anchors, a note of what they say of the zone stands first: 'A' and a digest, which no DS RDATA has the size of.
std::vector<Octets> PinsToKeep(const std::optional<AnchorSet>& anchors, const dns::Name& zone, const std::vector<dns::RrSet>& apex);

/// Checks that the DNSKEY RRset is signed, now, by one of its keys that is pinned. Returns that signature.
/// KEY_NOT_PINNED, SIGNATURE_INVALID.
Result<dns::RrsigFields> CheckKeys(const dns::Name& zone, const dns::RrSet& dnskeys, const std::vector<Octets>& pins, UnixTime now);

}  // namespace idzone::replica
