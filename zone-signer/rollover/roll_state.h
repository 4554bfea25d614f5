// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/base/octets.h"
#include "services/core/zone/zone_key.h"

/// Rolling the keys of a namespace: what is remembered between two steps. Values only.
namespace idzone::signer::rollover {

/// How keys are replaced.
enum class Style : std::uint8_t {
  kAllKeys = 1,             // the combined key, or KSK and ZSK together: double signature of the keys, pre-published data
  kZskPrePublish = 2,       // RFC 7583 §3.2.1
  kKskDoubleSignature = 3,  // RFC 7583 §3.3.1 (there: double-KSK)
  kKskDoubleDs = 4,         // RFC 7583 §3.3.2
  kAlgorithm = 5,           // RFC 6781 §4.1.4, conservative: signatures first, then keys
};

/// Where a roll stands. Each phase waits for what its entry changed to be seen everywhere, and then for caches.
///
///   making → [signing →] publishing → switching → [withdrawing →] done       all styles but double-DS; [] for a new algorithm
///   making → delegating → swapping → undelegating → done                     double-DS
enum class Phase : std::uint8_t {
  kMaking = 1,        // the new keys do not exist yet
  kSigning = 2,       // a new algorithm signs all data before its keys are shown
  kPublishing = 3,    // the DNSKEY RRset shows old and new keys, and is signed by both
  kSwitching = 4,     // data is signed again with the new keys; the parent changes its DS records
  kWithdrawing = 5,   // the old algorithm's keys are gone; its signatures stay for caches that hold the keys
  kDelegating = 6,    // the parent adds the DS records of the new key
  kSwapping = 7,      // the DNSKEY RRset shows the new key in the old one's place
  kUndelegating = 8,  // the parent drops the DS records of the old key
};

/// For logs and people: "publishing", …
std::string_view PhaseName(Phase phase);

/// A key's part in the roll under way.
enum class Part : std::uint8_t { kNone = 0, kComing = 1, kLeaving = 2 };

struct RolledKey {
  Octets id;  // SHA-256 of the SPKI
  zone::KeyRole role = zone::KeyRole::kCsk;
  std::uint8_t algorithm = 0;
  zone::KeyState state = zone::KeyState::kActive;
  zone::KeyUses uses;
  Part part = Part::kNone;

  friend bool operator==(const RolledKey&, const RolledKey&) = default;
};

/// The longest TTLs that were ever observed: caches may hold that much. They never shrink, because a TTL that was lowered
/// yesterday is in somebody's cache today.
struct LongestTtls {
  std::chrono::seconds keys{0};  // TTLkey
  std::chrono::seconds data{0};  // TTLsig: of everything else that is signed
  std::chrono::seconds ds{0};    // TTLds

  friend bool operator==(const LongestTtls&, const LongestTtls&) = default;
};

struct Roll {
  Style style = Style::kAllKeys;
  std::uint8_t algorithm = 0;        // of the new keys
  std::vector<zone::KeyRole> roles;  // of the new keys
  bool urgent = false;               // an emergency: data is signed again at once, not spread over a re-sign period
  bool emergency_follows = false;    // one was ordered that found no room for its DNSKEY records: it begins when this one ends
  Phase phase = Phase::kMaking;
  UnixTime began;
  UnixTime phase_began;
  /// Since when the phase's changes are seen: by every zone and edge; in every signature; at the parent. Unset: not yet.
  std::optional<UnixTime> published_at;
  std::optional<UnixTime> resigned_at;
  std::optional<UnixTime> delegated_at;

  friend bool operator==(const Roll&, const Roll&) = default;
};

struct RollState {
  std::vector<RolledKey> keys;  // those that are not removed
  std::optional<Roll> roll;
  LongestTtls ttls;
  std::int64_t revision = 1;       // rises when any key's uses change
  std::int64_t data_revision = 1;  // the last one that changed who signs the data, or the DS records at our own cuts

  friend bool operator==(const RollState&, const RollState&) = default;
};

}  // namespace idzone::signer::rollover
