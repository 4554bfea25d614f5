// SPDX-License-Identifier: MIT
#include "zone-signer/rollover/roll_machine.h"

#include <algorithm>

namespace idzone::signer::rollover {
namespace {

using zone::KeyRole;
using zone::KeyState;
using zone::KeyUses;

template <typename Chosen>
bool Any(const std::vector<RolledKey>& keys, Chosen chosen) {
  return std::any_of(keys.begin(), keys.end(), chosen);
}

/// Returns the keys with the changes of a phase, and counts revisions when uses changed.
template <typename Change>
void ChangeKeys(RollState& state, Change change) {
  const std::vector<RolledKey> before = state.keys;
  for (RolledKey& key : state.keys) change(key);
  bool uses = before.size() != state.keys.size();
  bool data = false;
  for (std::size_t i = 0; i < before.size(); ++i) {
    uses = uses || !(before[i].uses == state.keys[i].uses);
    // The DS records at our own cuts are data.
    data = data || before[i].uses.signs_data != state.keys[i].uses.signs_data || before[i].uses.in_ds != state.keys[i].uses.in_ds;
  }
  if (uses || data) ++state.revision;
  if (data) state.data_revision = state.revision;
}

void Remove(RolledKey& key) {
  key.uses = KeyUses();
  key.state = KeyState::kRemoved;
  key.part = Part::kNone;
}

/// RFC 4035 §2.2: there must be a signature "using at least one DNSKEY of each algorithm in the zone apex DNSKEY RRset".
bool ComingCovers(const RollState& state, std::uint8_t algorithm) {
  return Any(state.keys,
             [&](const RolledKey& key) { return key.part == Part::kComing && zone::SignsData(key.role) && key.algorithm == algorithm; });
}

bool DnskeyHasAlgorithm(const RollState& state, std::uint8_t algorithm) {
  return Any(state.keys, [&](const RolledKey& key) { return key.uses.in_dnskey && key.algorithm == algorithm; });
}

// ----------- Entering phases

void Enter(RollState& state, Phase phase, UnixTime now) {
  Roll& roll = *state.roll;
  roll.phase = phase;
  roll.phase_began = now;
  roll.published_at.reset();
  roll.resigned_at.reset();
  roll.delegated_at.reset();
}

void EnterSigning(RollState& state, UnixTime now) {
  Enter(state, Phase::kSigning, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part == Part::kComing) key.uses.signs_data = zone::SignsData(key.role);
  });
}

void EnterPublishing(RollState& state, UnixTime now) {
  Enter(state, Phase::kPublishing, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part != Part::kComing) return;
    key.uses.in_dnskey = true;
    key.uses.signs_keys = zone::SignsKeys(key.role);
    key.state = KeyState::kPublished;
  });
}

void EnterSwitching(RollState& state, UnixTime now) {
  Enter(state, Phase::kSwitching, now);
  const RollState before = state;
  ChangeKeys(state, [&](RolledKey& key) {
    if (key.part == Part::kComing) {
      key.uses = AllUses(key.role);
      key.state = KeyState::kActive;
    } else if (key.part == Part::kLeaving) {
      key.uses.in_ds = false;
      key.uses.signs_data = key.uses.signs_data && !ComingCovers(before, key.algorithm);
      key.state = KeyState::kRetired;
    }
  });
}

void EnterWithdrawing(RollState& state, UnixTime now) {
  Enter(state, Phase::kWithdrawing, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part != Part::kLeaving) return;
    key.uses.in_dnskey = key.uses.signs_keys = false;
    if (!key.uses.signs_data) Remove(key);
  });
}

void EnterDelegating(RollState& state, UnixTime now) {
  Enter(state, Phase::kDelegating, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part == Part::kComing) key.uses.in_ds = true;
  });
}

void EnterSwapping(RollState& state, UnixTime now) {
  Enter(state, Phase::kSwapping, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part == Part::kComing) {
      key.uses = AllUses(key.role);
      key.state = KeyState::kActive;
    } else if (key.part == Part::kLeaving) {
      key.uses = KeyUses{.in_dnskey = false, .signs_keys = false, .signs_data = false, .in_ds = key.uses.in_ds};
      key.state = KeyState::kRetired;
    }
  });
}

void EnterUndelegating(RollState& state, UnixTime now) {
  Enter(state, Phase::kUndelegating, now);
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part == Part::kLeaving) key.uses.in_ds = false;
  });
}

void Finish(RollState& state) {
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part == Part::kLeaving) Remove(key);
    key.part = Part::kNone;
  });
  state.roll.reset();
}

void EnterNext(RollState& state, UnixTime now) {
  switch (state.roll->phase) {
    case Phase::kMaking:
      if (state.roll->style == Style::kKskDoubleDs) return EnterDelegating(state, now);
      if (!DnskeyHasAlgorithm(state, state.roll->algorithm)) return EnterSigning(state, now);
      return EnterPublishing(state, now);
    case Phase::kSigning: return EnterPublishing(state, now);
    case Phase::kPublishing: return EnterSwitching(state, now);
    case Phase::kSwitching:
      // An algorithm whose keys leave altogether: keys first, signatures after them.
      if (Any(state.keys, [](const RolledKey& key) { return key.part == Part::kLeaving && key.uses.signs_data; }))
        return EnterWithdrawing(state, now);
      return Finish(state);
    case Phase::kDelegating: return EnterSwapping(state, now);
    case Phase::kSwapping: return EnterUndelegating(state, now);
    case Phase::kWithdrawing:
    case Phase::kUndelegating: return Finish(state);
  }
}

// ----------- Beginning

bool Replaces(Style style, KeyRole role) {
  switch (style) {
    case Style::kZskPrePublish: return role == KeyRole::kZsk;
    case Style::kKskDoubleSignature:
    case Style::kKskDoubleDs: return role == KeyRole::kKsk;
    case Style::kAllKeys:
    case Style::kAlgorithm: return true;
  }
  return false;
}

/// Says whether those roles make a whole: a combined key, or one of each.
bool AreWhole(const std::vector<KeyRole>& roles) {
  return roles == std::vector{KeyRole::kCsk} || roles == std::vector{KeyRole::kKsk, KeyRole::kZsk};
}

/// Returns the roles of the keys that the style replaces, each once, ascending. Keys that are in a roll may be more.
std::vector<KeyRole> RolesOf(const std::vector<RolledKey>& keys, Style style) {
  std::vector<KeyRole> roles;
  for (const RolledKey& key : keys) {
    if (key.state != KeyState::kRemoved && Replaces(style, key.role) && key.part != Part::kComing) roles.push_back(key.role);
  }
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  return roles;
}

/// Drops the new keys that nothing relies on: no signature of data that is seen, no DS record. All others leave.
void Abort(RollState& state) {
  if (!state.roll) return;
  ChangeKeys(state, [](RolledKey& key) {
    if (key.part != Part::kComing) return;
    const bool relied_upon = key.uses.in_ds || (key.uses.signs_data && key.uses.in_dnskey);
    if (relied_upon) {
      key.part = Part::kLeaving;
    } else {
      Remove(key);
    }
  });
  state.roll.reset();
}

std::uint8_t AlgorithmFor(const RollState& state, const Begin& begin) {
  // Two algorithms at once: the way on is the way that the roll was going.
  if (state.roll && DnskeyHasAlgorithm(state, state.roll->algorithm)) return state.roll->algorithm;
  if (begin.algorithm != 0) return begin.algorithm;
  for (const RolledKey& key : state.keys) {
    if (key.uses.in_dnskey && key.part != Part::kComing) return key.algorithm;
  }
  return state.roll ? state.roll->algorithm : 0;
}

tl::unexpected<Error> Unfit(std::string field, std::string expected, std::string met) {
  return Fail(Reason::kValueOutOfRange, std::move(field), std::move(expected), std::move(met));
}

/// What somebody waits for who may not replace the roll under way.
std::string EndOfRoll(const RollState& state, const Delays& delays, UnixTime now) {
  if (!state.roll) return "";
  std::string text = "; order it again when the roll under way is over, which is " + std::string(PhaseName(state.roll->phase));
  const Waiting waiting = WaitingFor(state, delays, now);
  switch (waiting.what) {
    case Wait::kNothing: return text + " and goes on now";
    case Wait::kKeys: return text + " and waits for new keys to be made";
    case Wait::kZones: return text + " and waits for zones and edges";
    case Wait::kSigning: return text + " and waits for data to be signed again";
    case Wait::kParent: return text + " and waits for the parent";
    case Wait::kCaches: return text + " and waits for caches until " + FormatTime(*waiting.until);
  }
  return text;
}

/// The roll under way makes haste, and an emergency follows it.
Step Hurry(const RollState& before) {
  Step step{before, {}};
  step.state.roll->urgent = step.state.roll->emergency_follows = true;
  return step;
}

Result<Step> OnBegin(const RollState& before, const Begin& begin, const Delays& delays, UnixTime now) {
  if (before.roll && !begin.urgent)
    return Fail(Reason::kNamespaceNotReady, "key roll", "none under way", "one; only an urgent one replaces it");
  if (begin.urgent && begin.style != Style::kAllKeys) return Unfit("style", "all keys, in an emergency", "another");
  Roll roll{.style = begin.style,
            .algorithm = AlgorithmFor(before, begin),
            .roles = begin.roles,
            .urgent = begin.urgent,
            .emergency_follows = false,
            .phase = Phase::kMaking,
            .began = now,
            .phase_began = now,
            .published_at = {},
            .resigned_at = {},
            .delegated_at = {}};
  // From one key to two, or back: an emergency goes where the roll was going.
  const std::vector<KeyRole> usual = before.roll && AreWhole(before.roll->roles) ? before.roll->roles : RolesOf(before.keys, begin.style);
  if (roll.roles.empty()) roll.roles = usual;
  const bool whole = begin.style == Style::kAllKeys || begin.style == Style::kAlgorithm;
  if (whole ? !AreWhole(roll.roles) : roll.roles != RolesOf(before.keys, begin.style) || roll.roles.size() != 1)
    return Unfit("style", "one for the keys that there are: a combined key, or KSK and ZSK", "another");
  const bool same = DnskeyHasAlgorithm(before, roll.algorithm);
  if (begin.style == Style::kAlgorithm ? same : !same && !begin.urgent)
    return Unfit("algorithm", begin.style == Style::kAlgorithm ? "another than now" : "the one of now", std::to_string(roll.algorithm));

  Step step{before, {}};
  Abort(step.state);
  for (RolledKey& key : step.state.keys) {
    if (key.state != KeyState::kRemoved && Replaces(begin.style, key.role)) key.part = Part::kLeaving;
  }
  const auto shown = static_cast<std::size_t>(
      std::count_if(step.state.keys.begin(), step.state.keys.end(), [](const RolledKey& key) { return key.uses.in_dnskey; }));
  if (shown + roll.roles.size() > zone::kDnskeysMax) {
    if (before.roll && roll.roles == usual) return Hurry(before);
    return Fail(Reason::kLimitExceeded, "DNSKEY records", "at most " + std::to_string(zone::kDnskeysMax),
                std::to_string(shown) + " now and " + std::to_string(roll.roles.size()) + " new ones" + EndOfRoll(before, delays, now));
  }
  step.state.roll = std::move(roll);
  if (step.state.revision != before.revision) step.actions.push_back(Action::kPublish);
  if (step.state.data_revision != before.data_revision) step.actions.push_back(Action::kSignAgain);
  step.actions.push_back(Action::kMakeKeys);
  return step;
}

// ----------- Going on

/// Says what an entry changed, for the caller.
std::vector<Action> ActionsOf(const RollState& before, const RollState& after) {
  std::vector<Action> actions;
  if (after.revision != before.revision) actions.push_back(Action::kPublish);
  if (after.data_revision != before.data_revision) actions.push_back(Action::kSignAgain);
  if (AwaitsParent(after)) actions.push_back(Action::kTellParent);
  if (!after.roll) actions.push_back(Action::kFinished);
  return actions;
}

Result<Step> OnKeysMade(const RollState& before, const KeysMade& made, UnixTime now) {
  IDZONE_INVARIANT(before.roll && before.roll->phase == Phase::kMaking && made.ids.size() == before.roll->roles.size(),
                   "keys are made when a roll asks for them");
  Step step{before, {}};
  for (std::size_t i = 0; i < made.ids.size(); ++i)
    step.state.keys.push_back({.id = made.ids[i],
                               .role = before.roll->roles[i],
                               .algorithm = before.roll->algorithm,
                               .state = KeyState::kGenerated,
                               .uses = {},
                               .part = Part::kComing});
  EnterNext(step.state, now);
  step.actions = ActionsOf(before, step.state);
  return step;
}

/// Since when something is seen: the first time, for as long as it stays so.
void Remember(std::optional<UnixTime>& since, bool seen, UnixTime now) {
  if (!seen) since.reset();
  if (seen && !since) since = now;
}

Result<Step> OnObserved(const RollState& before, const Observed& observed, const Delays& delays, UnixTime now) {
  Step step{before, {}};
  RollState& state = step.state;
  state.ttls = {std::max(state.ttls.keys, observed.ttls.keys), std::max(state.ttls.data, observed.ttls.data),
                std::max(state.ttls.ds, observed.ttls.ds)};
  if (!state.roll) return step;
  if (state.roll->phase == Phase::kMaking) {
    step.actions.push_back(Action::kMakeKeys);
    return step;
  }
  Remember(state.roll->published_at, observed.published, now);
  Remember(state.roll->resigned_at, observed.resigned, now);
  if (observed.parent && AwaitsParent(state)) Remember(state.roll->delegated_at, ParentAgrees(state, *observed.parent), now);
  if (WaitingFor(state, delays, now).what != Wait::kNothing) return step;
  EnterNext(state, now);
  step.actions = ActionsOf(before, state);
  if (state.roll || !before.roll->emergency_follows) return step;
  auto next = OnBegin(state, Begin{.urgent = true}, delays, now);
  if (!next) return step;  // at rest it always fits; a roll that is over must not be held up by it in any case
  next->actions.insert(next->actions.begin(), step.actions.begin(), step.actions.end());
  return next;
}

Result<Step> OnConfirmed(const RollState& before, UnixTime now) {
  if (!AwaitsParent(before)) return Fail(Reason::kNamespaceNotReady, "key roll", "one that waits for the parent's DS records", "none");
  Step step{before, {}};
  if (!step.state.roll->delegated_at) step.state.roll->delegated_at = now;
  return step;
}

Result<Step> ApplyEvent(const RollState& state, const Event& event, const Delays& delays, UnixTime now) {
  if (const auto* begin = std::get_if<Begin>(&event)) return OnBegin(state, *begin, delays, now);
  if (const auto* made = std::get_if<KeysMade>(&event)) return OnKeysMade(state, *made, now);
  if (const auto* observed = std::get_if<Observed>(&event)) return OnObserved(state, *observed, delays, now);
  return OnConfirmed(state, now);
}

}  // namespace

Result<Step> Apply(const RollState& state, const Event& event, const Delays& delays, UnixTime now) {
  auto step = ApplyEvent(state, event, delays, now);
  // Zones publish CDS and CDNSKEY while the parent is waited for: that is a revision too.
  if (step && AwaitsParent(state) != AwaitsParent(step->state) && step->state.revision == state.revision) {
    ++step->state.revision;
    step->actions.insert(step->actions.begin(), Action::kPublish);
  }
  return step;
}
std::string_view ActionName(Action action) {
  switch (action) {
    case Action::kMakeKeys: return "make_keys";
    case Action::kPublish: return "publish";
    case Action::kSignAgain: return "sign_again";
    case Action::kTellParent: return "tell_parent";
    case Action::kFinished: return "finished";
  }
  return "unknown";
}

std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kMaking: return "making";
    case Phase::kSigning: return "signing";
    case Phase::kPublishing: return "publishing";
    case Phase::kSwitching: return "switching";
    case Phase::kWithdrawing: return "withdrawing";
    case Phase::kDelegating: return "delegating";
    case Phase::kSwapping: return "swapping";
    case Phase::kUndelegating: return "undelegating";
  }
  return "unknown";
}

bool ParentAgrees(const RollState& state, const ParentView& parent) {
  const auto has = [](const std::vector<Octets>& ids, const Octets& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
  return std::all_of(state.keys.begin(), state.keys.end(), [&](const RolledKey& key) {
    if (key.uses.in_ds) return has(parent.key_ids, key.id);
    return key.part != Part::kLeaving || (!has(parent.key_ids, key.id) && !has(parent.other_digest_ids, key.id));
  });
}

}  // namespace idzone::signer::rollover
