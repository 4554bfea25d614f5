// SPDX-License-Identifier: MIT
#include "services/feed/follower_ledger.h"

#include <algorithm>

namespace idzone::feed {
namespace {

using std::chrono::seconds;

constexpr seconds kFirstDelay(5);
constexpr seconds kLastDelay(300);

}  // namespace

void FollowerLedger::Hold(const dns::Name& zone, const zone::ZonePosition& position) {
  Zone& state = zones_[zone];
  state.sent = position;
  Reach(state, position);
}

FollowerLedger::Step FollowerLedger::Next(const dns::Name& zone, const zone::ZonePosition& newest, TimePoint now) const {
  const auto found = zones_.find(zone);
  if (found == zones_.end()) return Step::kSnapshot;
  const Zone& state = found->second;
  if (state.in_snapshot || now < state.not_before) return Step::kNothing;
  if (state.wants_snapshot || state.sent.digest.empty()) return Step::kSnapshot;
  if (state.sent == newest) return Step::kNothing;
  if (state.sent.epoch != newest.epoch) return Step::kSnapshot;
  return Step::kVersions;
}

zone::ZonePosition FollowerLedger::Sent(const dns::Name& zone) const {
  const auto found = zones_.find(zone);
  return found == zones_.end() ? zone::ZonePosition{} : found->second.sent;
}

zone::ZonePosition FollowerLedger::Reached(const dns::Name& zone) const {
  const auto found = zones_.find(zone);
  return found == zones_.end() ? zone::ZonePosition{} : found->second.reached;
}

std::optional<zone::ZonePosition> FollowerLedger::NotYetCompared(const dns::Name& zone) const {
  const auto found = zones_.find(zone);
  if (found == zones_.end() || found->second.compared || found->second.reached.digest.empty()) return std::nullopt;
  return found->second.reached;
}

void FollowerLedger::Reach(Zone& zone, const zone::ZonePosition& position) {
  zone.reached = position;
  zone.compared = false;
}

void FollowerLedger::Send(SentMessage message) {
  if (message.position) {
    Zone& state = zones_[message.zone];
    state.sent = *message.position;
    state.in_snapshot = false;
  }
  for (const auto& [zone, position] : message.others) zones_[zone].sent = position;
  outstanding_.push_back(std::move(message));
}

void FollowerLedger::BeginSnapshot(const dns::Name& zone) {
  Zone& state = zones_[zone];
  state.in_snapshot = true;
  state.wants_snapshot = false;
  state.has_failed = false;
}

bool FollowerLedger::SnapshotGoesOn(const dns::Name& zone) const {
  const auto found = zones_.find(zone);
  return found != zones_.end() && found->second.in_snapshot;
}

void FollowerLedger::Delay(Zone& zone, TimePoint now) {
  zone.in_snapshot = false;
  zone.wants_snapshot = true;
  ++zone.refusals;
  if (zone.refusals > 1) zone.not_before = now + std::min(kLastDelay, kFirstDelay * (1 << std::min(zone.refusals - 2, 6u)));
}

void FollowerLedger::FailSnapshot(const dns::Name& zone, TimePoint now) {
  Zone& state = zones_[zone];
  state.refusals = std::max(state.refusals, 1u);
  state.has_failed = true;
  Delay(state, now);
}

bool FollowerLedger::HasFailed(const dns::Name& zone) const {
  const auto found = zones_.find(zone);
  return found != zones_.end() && found->second.has_failed;
}

Result<SentMessage> FollowerLedger::Apply(const std::optional<zone::ZonePosition>& position, const Positions& others) {
  if (outstanding_.empty()) return Fail(Reason::kValueMalformed, "applied", "an answer to a message", "one answer more than messages");
  SentMessage message = outstanding_.front();
  if (position && message.position != position)
    return Fail(Reason::kValueMalformed, "applied.position", "the position of the message that is answered", "another");
  outstanding_.pop_front();
  const auto reach = [&](const dns::Name& zone, const zone::ZonePosition& reached) {
    const auto state = zones_.find(zone);
    if (state == zones_.end()) return;
    Reach(state->second, reached);
    // A snapshot alone does not show that versions are accepted again.
    if (message.is_version && !state->second.wants_snapshot) state->second.refusals = 0;
  };
  if (position) reach(message.zone, *position);
  for (const auto& [zone, reached] : others) reach(zone, reached);
  return message;
}

Result<SentMessage> FollowerLedger::Refuse(const dns::Name& zone, TimePoint now) {
  const auto speaks_of = [&](const SentMessage& message) {
    return message.zone == zone ||
           std::any_of(message.others.begin(), message.others.end(), [&](const auto& other) { return other.first == zone; });
  };
  if (outstanding_.empty() || !speaks_of(outstanding_.front()))
    return Fail(Reason::kValueMalformed, "refusal.zone", "the zone of the message that is answered", zone.Format());
  SentMessage message = outstanding_.front();
  outstanding_.pop_front();
  if (!message.others.empty()) {
    zones_[message.zone].wants_snapshot = true;
    for (const auto& [other, sent] : message.others) zones_[other].wants_snapshot = true;
  }
  Delay(zones_[zone], now);
  return message;
}

}  // namespace idzone::feed
