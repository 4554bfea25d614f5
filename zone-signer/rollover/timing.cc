// SPDX-License-Identifier: MIT
#include "zone-signer/rollover/timing.h"

#include <algorithm>

namespace idzone::signer::rollover {
namespace {

bool AnyComing(const RollState& state, bool (*chosen)(zone::KeyRole)) {
  return std::any_of(state.keys.begin(), state.keys.end(),
                     [&](const RolledKey& key) { return key.part == Part::kComing && chosen(key.role); });
}

/// Which sights and intervals end a phase.
struct Condition {
  Wait without;  // what is waited for while the sight is missing
  std::optional<UnixTime> seen_at;
  std::chrono::seconds interval;
};

std::vector<Condition> ConditionsOf(const RollState& state, const Delays& delays) {
  const Roll& roll = *state.roll;
  const Condition published{Wait::kZones, roll.published_at, PublicationInterval(delays, state.ttls)};
  const Condition resigned{Wait::kSigning, roll.resigned_at, SignatureRetireInterval(delays, state.ttls)};
  const Condition delegated{Wait::kParent, roll.delegated_at, DsInterval(delays, state.ttls)};
  switch (roll.phase) {
    case Phase::kMaking: return {{Wait::kKeys, std::nullopt, {}}};
    case Phase::kSigning: return {resigned};
    case Phase::kPublishing:
    case Phase::kWithdrawing:
    case Phase::kSwapping: return {published};
    // Our own zones are parents too: the DS records at their cuts are data, which a sweep changes.
    case Phase::kSwitching:
      if (!AwaitsParent(state)) return {resigned};
      return {resigned, delegated};
    case Phase::kDelegating: return {resigned, delegated};
    case Phase::kUndelegating: return {{Wait::kParent, roll.delegated_at, {}}};
  }
  return {};
}

}  // namespace

std::chrono::seconds PublicationInterval(const Delays& delays, const LongestTtls& ttls) {
  return delays.dprp + ttls.keys;
}

std::chrono::seconds SignatureRetireInterval(const Delays& delays, const LongestTtls& ttls) {
  return delays.dprp + ttls.data;
}

std::chrono::seconds DsInterval(const Delays& delays, const LongestTtls& ttls) {
  return delays.dprp_p + ttls.ds;
}

bool AwaitsParent(const RollState& state) {
  if (!state.roll) return false;
  switch (state.roll->phase) {
    case Phase::kDelegating:
    case Phase::kUndelegating: return true;
    case Phase::kSwitching: return AnyComing(state, zone::SignsKeys);
    default: return false;
  }
}

Waiting WaitingFor(const RollState& state, const Delays& delays, UnixTime now) {
  if (!state.roll) return {};
  UnixTime until = now;
  const auto conditions = ConditionsOf(state, delays);
  for (const Condition& condition : conditions) {
    if (!condition.seen_at) return {condition.without, std::nullopt};
    until = std::max(until, *condition.seen_at + condition.interval);
  }
  if (until > now) return {Wait::kCaches, until};
  return {};
}

}  // namespace idzone::signer::rollover
