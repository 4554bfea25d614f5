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
/// With an anchors file, only its zones are followed, with its pins. Without one, the first keys that a zone shows are
/// trusted and kept in the replica (trust on first use).
/// Limits: pins do not follow a key rollover by themselves.

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

/// Checks that the DNSKEY RRset is signed, now, by one of its keys that is pinned.
/// KEY_NOT_PINNED, SIGNATURE_INVALID.
Result<void> CheckKeys(const dns::Name& zone, const dns::RrSet& dnskeys, const std::vector<Octets>& pins, UnixTime now);

}  // namespace idzone::replica
