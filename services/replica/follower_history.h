// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "services/core/dns/name.h"
#include "services/core/zone/version.h"

/// What a follower does not take although it is signed: a zone of the past, another history of the same versions, a zone that
/// has lost most of its names. Each would bring revoked identities back, or take living ones away, and each comes of a
/// mistake behind the feed: it is held back, told, and taken only on an operator's word. Until then the zone that is held is served.
namespace idzone::replica {

/// What a snapshot must not lose.
struct ShrinkLimit {
  unsigned percent_max = 50;      // of a zone's nodes; 100: anything goes
  std::uint64_t nodes_min = 100;  // a zone with fewer may shrink as it likes
};

/// VERSION_GAP when `offered` is before `held`, DIGEST_MISMATCH when it is the same serial of the same epoch with other content.
/// An empty digest in `held`: there is nothing to compare with.
Result<void> CheckHistory(const dns::Name& zone, const zone::ZonePosition& held, const zone::ZonePosition& offered);

/// Says whether a version's predecessor is another one than what is held: same epoch, same serial, other digest.
bool IsFork(const zone::ZonePosition& held, zone::Epoch epoch, dns::Serial previous_serial, const Octets& previous_digest);

/// LIMIT_EXCEEDED when more of the `held` nodes are missing than the limit allows.
Result<void> CheckShrink(const dns::Name& zone, std::uint64_t held, std::uint64_t offered, const ShrinkLimit& limit);

/// The operator's word: a file with the names of zones, one a line, whose next snapshot is taken whatever it looks like.
/// The follower takes a name out when it has taken the snapshot. An empty path: nobody has a word.
class AcceptFile {
 public:
  explicit AcceptFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  /// Says whether the file names the zone now.
  bool Names(const dns::Name& zone) const;
  /// Takes the zone's lines out; the file goes with the last one.
  void Remove(const dns::Name& zone) const;

 private:
  std::string path_;
};

}  // namespace idzone::replica
