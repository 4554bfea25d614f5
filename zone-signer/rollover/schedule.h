// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/rollover/roll_machine.h"

/// When keys are rolled without an order: after the lives that a policy gives them. Pure.
///
/// A life ends somewhere in its last quarter, by the key's own name: sets that were made together, the zones of a namespace or many
/// namespaces, do not roll together, and drift further apart with each roll. Never beside another roll: what is due waits for its end.
namespace idzone::signer::rollover {

/// How long keys live; 0: until somebody rolls them.
struct KeyLives {
  std::chrono::seconds keys{0};  // of the combined key, or the KSK
  std::chrono::seconds zsk{0};
};

/// When the next rolls begin; unset: never.
struct Schedule {
  std::optional<UnixTime> keys_at;
  std::optional<UnixTime> zsk_at;

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Returns the schedule of a set whose keys are as young as they get: of new keys, or of those that a roll of that style left behind.
/// What the roll did not replace is due as before. `before`: nothing for new keys.
Schedule ScheduleFrom(const std::vector<RolledKey>& keys, const KeyLives& lives, UnixTime now, const Schedule& before = {},
                      std::optional<Style> rolled = std::nullopt);

/// Returns the roll that is due: of the combined key; or of the KSK (double signature), or the ZSK, the one that is due longer. Nothing
/// while another is under way.
std::optional<Begin> DueRoll(const RollState& state, const Schedule& schedule, UnixTime now);

}  // namespace idzone::signer::rollover
