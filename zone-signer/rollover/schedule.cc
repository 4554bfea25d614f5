// SPDX-License-Identifier: MIT
#include "zone-signer/rollover/schedule.h"

#include <algorithm>

namespace idzone::signer::rollover {
namespace {

/// Returns the key of that kind that stays, if there is one.
const RolledKey* FindStaying(const std::vector<RolledKey>& keys, bool of_zsk) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const RolledKey& key) {
    return (key.role == zone::KeyRole::kZsk) == of_zsk && key.state == zone::KeyState::kActive && key.part != Part::kLeaving;
  });
  return found == keys.end() ? nullptr : &*found;
}

/// The end of a life that begins now: three quarters of it, and of the last one a share that the key's name chooses.
std::optional<UnixTime> EndOf(const RolledKey* key, std::chrono::seconds life, UnixTime now) {
  if (key == nullptr || life.count() == 0) return std::nullopt;
  const auto chance = static_cast<std::int64_t>(OctetReader(key->id).U16());
  const auto quarter = life.count() / 4;
  return now + life - std::chrono::seconds(quarter) + std::chrono::seconds(quarter * chance / 65'536);
}

bool RollsZsk(Style style) {
  return style == Style::kZskPrePublish || style == Style::kAllKeys || style == Style::kAlgorithm;
}

}  // namespace

Schedule ScheduleFrom(const std::vector<RolledKey>& keys, const KeyLives& lives, UnixTime now, const Schedule& before,
                      std::optional<Style> rolled) {
  Schedule schedule = before;
  if (!rolled || *rolled != Style::kZskPrePublish) schedule.keys_at = EndOf(FindStaying(keys, false), lives.keys, now);
  if (!rolled || RollsZsk(*rolled)) schedule.zsk_at = EndOf(FindStaying(keys, true), lives.zsk, now);
  return schedule;
}

std::optional<Begin> DueRoll(const RollState& state, const Schedule& schedule, UnixTime now) {
  if (state.roll || (!schedule.keys_at && !schedule.zsk_at)) return std::nullopt;
  const UnixTime keys_at = schedule.keys_at.value_or(UnixTime::max());
  const UnixTime zsk_at = schedule.zsk_at.value_or(UnixTime::max());
  if (std::min(keys_at, zsk_at) > now) return std::nullopt;
  const bool split = FindStaying(state.keys, true) != nullptr;
  if (zsk_at < keys_at) return split ? std::optional(Begin{.style = Style::kZskPrePublish}) : std::nullopt;
  return Begin{.style = split ? Style::kKskDoubleSignature : Style::kAllKeys};
}

}  // namespace idzone::signer::rollover
