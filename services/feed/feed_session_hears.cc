// SPDX-License-Identifier: MIT
// What the follower says: where it stands, what it refuses, how far its secondaries are.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/core/base/limits.h"
#include "services/core/zone/secondary.h"
#include "services/feed/feed_session_state.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

using process::LogLevel;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kFormatVersionMin = 1;
constexpr std::uint32_t kFormatVersionMax = 2;
constexpr std::size_t kReasonMax = 64;
constexpr std::size_t kDetailMax = 512;
constexpr seconds kNotifyPeriodMin(1);
constexpr seconds kNotifyPeriodMax(3600);

Result<zone::ZonePosition> FromProto(const v1::Position& position) {
  if (position.digest().size() != 32)
    return Fail(Reason::kValueMalformed, "position.digest", "32 octets", std::to_string(position.digest().size()));
  if (position.epoch() == 0 || position.serial() == 0) return Fail(Reason::kValueOutOfRange, "position", "epoch and serial from 1", "0");
  return zone::ZonePosition{position.epoch(), position.serial(), position.digest()};
}

}  // namespace

void FeedSession::Receive(const v1::FollowRequest& request) {
  Result<void> taken;
  bool moved_in = false;
  {
    const std::scoped_lock lock(shared_->mutex);
    const bool serves = !request.not_served();
    moved_in = !std::exchange(shared_->serves, serves) && serves;
  }
  switch (request.message_case()) {
    case v1::FollowRequest::kHello: taken = Hello(request); break;
    case v1::FollowRequest::kApplied: taken = Applied(request); break;
    case v1::FollowRequest::kRefusal: taken = Refused(request); break;
    case v1::FollowRequest::MESSAGE_NOT_SET:
      taken = Fail(Reason::kUnknownField, "message", "hello, applied or refusal", "another one");
      break;
  }
  if (const auto zones = parts_.board.Zones(); taken && moved_in && zones != nullptr) RecordReached(*zones);
  if (taken && request.has_secondaries()) taken = Secondaries(request.secondaries());
  if (!taken) return End(taken.error());
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->heard_at = steady_clock::now();
  }
  shared_->Wake();
}

void FeedSession::RecordReached(const ZoneList& zones) {
  for (const store::FeedZone& zone : zones) {
    const std::scoped_lock lock(shared_->mutex);
    parts_.recorder.Record(edge_id_, zone.zone_id, shared_->serves ? shared_->ledger.Reached(zone.name) : zone::ZonePosition{});
  }
}

Result<void> FeedSession::Hello(const v1::FollowRequest& request) {
  const v1::FollowRequest::Hello& hello = request.hello();
  if (hello.format_version() < kFormatVersionMin || hello.format_version() > kFormatVersionMax)
    return Fail(Reason::kSchemaMismatch, "hello.format_version",
                std::to_string(kFormatVersionMin) + " to " + std::to_string(kFormatVersionMax), std::to_string(hello.format_version()));
  if (hello.positions_size() > limits::kFeedPositionsMax)
    return Fail(Reason::kLimitExceeded, "hello.positions", "at most " + std::to_string(limits::kFeedPositionsMax),
                std::to_string(hello.positions_size()));
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->greeted) return Fail(Reason::kValueMalformed, "hello", "none behind the last one", "another");
  shared_->positions += hello.positions_size();
  if (shared_->positions > limits::kFeedZonesMax)
    return Fail(Reason::kLimitExceeded, "hello.positions", "at most " + std::to_string(limits::kFeedZonesMax) + " in all",
                std::to_string(shared_->positions));
  for (const v1::Position& proto : hello.positions()) {
    auto zone = dns::Name::FromWire(proto.zone(), "position.zone");
    if (!zone) return tl::unexpected(zone.error());
    auto position = FromProto(proto);
    if (!position) return tl::unexpected(position.error());
    shared_->ledger.Hold(*zone, *position);
  }
  shared_->greeted = !hello.more();
  shared_->takes_bundles = hello.format_version() >= 2;
  return {};
}

Result<void> FeedSession::Applied(const v1::FollowRequest& request) {
  const v1::FollowRequest::Applied& applied = request.applied();
  if (applied.others_size() > limits::kFeedPositionsMax)
    return Fail(Reason::kLimitExceeded, "applied.others", "at most " + std::to_string(limits::kFeedPositionsMax),
                std::to_string(applied.others_size()));
  FollowerLedger::Positions reached;
  for (const v1::Position& other : applied.others()) {
    auto position = FromProto(other);
    if (!position) return tl::unexpected(position.error());
    auto zone = dns::Name::FromWire(other.zone(), "applied.others.zone");
    if (!zone) return tl::unexpected(zone.error());
    reached.emplace_back(*std::move(zone), *std::move(position));
  }
  std::optional<zone::ZonePosition> own;
  if (applied.has_position()) {
    auto position = FromProto(applied.position());
    if (!position) return tl::unexpected(position.error());
    own = *std::move(position);
  }
  Result<SentMessage> answered;
  {
    const std::scoped_lock lock(shared_->mutex);
    answered = shared_->ledger.Apply(own, reached);
  }
  if (!answered) return tl::unexpected(answered.error());
  if (own && answered->zone.wire() != applied.position().zone())
    return Fail(Reason::kValueMalformed, "applied.position.zone", answered->zone.Format(), "another");
  if (own) reached.emplace_back(answered->zone, *std::move(own));
  if (reached.empty() || request.not_served()) return {};
  const auto zones = parts_.board.Zones();
  std::unordered_map<OctetsView, std::int32_t> ids;
  for (const store::FeedZone& zone : *zones) ids.emplace(zone.name.wire(), zone.zone_id);
  for (const auto& [name, position] : reached) {
    const auto zone = ids.find(name.wire());
    if (zone != ids.end()) parts_.recorder.Record(edge_id_, zone->second, position);
  }
  return {};
}

Result<void> FeedSession::Refused(const v1::FollowRequest& request) {
  const auto zone = dns::Name::FromWire(request.refusal().zone(), "refusal.zone");
  if (!zone) return tl::unexpected(zone.error());
  const std::string reason = request.refusal().reason().substr(0, kReasonMax);
  process::Log(
      LogLevel::kError, "feed.refused",
      {{"edge", edge_id_}, {"zone", zone->Format()}, {"reason", reason}, {"detail", request.refusal().detail().substr(0, kDetailMax)}});
  // A label of the metric must be one of few: what a follower makes up counts as one.
  const bool plain = std::all_of(reason.begin(), reason.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  parts_.metrics.CountRefusal(plain && reason.size() < 32 ? std::string_view(reason) : "OTHER");
  const std::scoped_lock lock(shared_->mutex);
  auto answered = shared_->ledger.Refuse(*zone, steady_clock::now());
  if (!answered) return tl::unexpected(answered.error());
  return {};
}

Result<void> FeedSession::Secondaries(const v1::SecondaryReport& report) {
  const auto zones = parts_.board.Zones();
  if (zones == nullptr) return Fail(Reason::kValueMalformed, "secondaries", "an answer to a message", "a report before any");
  if (static_cast<std::size_t>(report.secondaries_size()) > limits::kSecondariesMax || report.standings_size() > limits::kFeedPositionsMax)
    return Fail(Reason::kLimitExceeded, "secondaries",
                "at most " + std::to_string(limits::kSecondariesMax) + " with " + std::to_string(limits::kFeedPositionsMax) + " standings",
                std::to_string(report.secondaries_size()) + " with " + std::to_string(report.standings_size()));
  store::EdgeSecondaries said{
      .edge_id = edge_id_, .notify_period = seconds(report.notify_period_seconds()), .secondary_ids = {}, .positions = {}};
  if (report.secondaries_size() > 0 && (said.notify_period < kNotifyPeriodMin || said.notify_period > kNotifyPeriodMax))
    return Fail(Reason::kValueOutOfRange, "secondaries.notify_period_seconds", "1 to 3600", std::to_string(report.notify_period_seconds()));
  for (const std::string& id : report.secondaries()) {
    if (!zone::IsSecondaryId(id)) return Fail(Reason::kValueMalformed, "secondaries.secondaries", "an id as an edge's", "another");
    said.secondary_ids.push_back(id);
  }
  std::unordered_map<OctetsView, std::int32_t> ids;
  for (const store::FeedZone& zone : *zones) ids.emplace(zone.name.wire(), zone.zone_id);
  for (const v1::SecondaryReport::Standing& standing : report.standings()) {
    const auto zone = ids.find(standing.zone());
    if (zone == ids.end()) continue;
    said.positions.push_back({.secondary_id = standing.secondary(),
                              .zone_id = zone->second,
                              .serves = standing.serves(),
                              .epoch = standing.epoch(),
                              .serial = standing.serial()});
  }
  parts_.recorder.Record(std::move(said));
  return {};
}

}  // namespace idzone::feed
