// SPDX-License-Identifier: MIT
#pragma once

#include <variant>

#include "zone-signer/rollover/timing.h"

/// Key rollover as a pure function: (state, event, now) → (state, actions). It does no IO and knows no clock, so that ten
/// years of rolls are simulated in a second (tests/campaign/run rollovers).
/// Sources: RFC 7583 (timing), RFC 6781 §4.1.4 (algorithms), RFC 7344 (the parent). Doing a step twice changes nothing.
///
/// At every moment, whatever legal data a cache holds, there is a valid path:
///   - a key is relied upon only after Ipub: caches that hold a DNSKEY RRset without it have dropped that;
///   - a key goes only when no cache holds a signature (Iret of §3.2.1) or a sole DS record (Iret of §3.3.1) of it;
///   - each algorithm that the DNSKEY RRset shows, or a cached one may show, signs everything (RFC 4035 §2.2).
///
/// An urgent roll may begin at any time. It drops new keys of the roll under way that nothing relies on yet; all others
/// leave together with the old ones. It waits for caches like any other: a compromised key is bad, a bogus zone is worse.
/// Where that would be too many DNSKEY records, nothing of the roll under way can be dropped yet: it becomes urgent, and the
/// emergency begins in the step that ends it.
namespace idzone::signer::rollover {

struct Begin {
  Style style = Style::kAllKeys;
  std::uint8_t algorithm = 0;          // 0: as it is
  std::vector<zone::KeyRole> roles{};  // of the new keys, for kAllKeys and kAlgorithm; empty: as they are
  bool urgent = false;
};
/// The new keys exist, in the order of the roll's roles.
struct KeysMade {
  std::vector<Octets> ids;
};
/// What the parent publishes, by key; records of nobody's keys do not count.
struct ParentView {
  std::vector<Octets> key_ids;
  /// Keys that it names by another digest than SHA-256. That says nothing for a key that comes, and holds up one that leaves: validators
  /// choose one digest type and believe its records alone (Unbound: the strongest).
  std::vector<Octets> other_digest_ids{};
};
/// What is seen now.
struct Observed {
  bool published = false;  // every zone has the revision, and who serves it has that version
  bool resigned = false;   // every signature is of the data revision, wherever it is served
  std::optional<ParentView> parent;
  LongestTtls ttls;  // in effect now
};
/// The operator says that the parent publishes what it should: for parents that cannot be asked.
struct ParentConfirmed {};
using Event = std::variant<Begin, KeysMade, Observed, ParentConfirmed>;

/// What the caller has to do. The rest follows from the state: zones take up the uses of keys by themselves.
enum class Action : std::uint8_t {
  kMakeKeys = 1,    // make keys of roll.algorithm and roll.roles, and say KeysMade
  kPublish = 2,     // the DNSKEY RRset, or who signs it, changed
  kSignAgain = 3,   // who signs the data changed, or the DS records at our own cuts
  kTellParent = 4,  // the DS records that the parent should have changed
  kFinished = 5,    // the roll is over
};

std::string_view ActionName(Action action);

struct Step {
  RollState state;
  std::vector<Action> actions;
};

/// NAMESPACE_NOT_READY (Begin beside another roll and not urgent; ParentConfirmed that nothing waits for), VALUE_OUT_OF_RANGE (a style that
/// the keys do not allow), LIMIT_EXCEEDED (more DNSKEY records than allowed, by an urgent one with other roles than it would have anyway).
Result<Step> Apply(const RollState& state, const Event& event, const Delays& delays, UnixTime now);

/// Says whether the parent publishes what the phase wants: every key with in_ds, and none that leaves, by any digest.
bool ParentAgrees(const RollState& state, const ParentView& parent);

}  // namespace idzone::signer::rollover
