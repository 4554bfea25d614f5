// SPDX-License-Identifier: MIT
#include "services/feed/feed_session.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/core/base/limits.h"
#include "services/core/zone/secondary.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

using process::LogLevel;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kHeartbeatEvery(5);
constexpr seconds kSilenceMax(30);
constexpr seconds kCheckCallerEvery(10);
constexpr std::chrono::milliseconds kIdleMax(500);  // how soon a delay that is over is noticed
constexpr std::uint32_t kFormatVersionMin = 1;
constexpr std::uint32_t kFormatVersionMax = 2;
/// A bundle is one transaction of the follower, during which it serves the versions before.
constexpr std::size_t kBundleVersionsMax = 256;
constexpr std::size_t kBundleOctetsMax = 1024 * 1024;
constexpr std::size_t kPositionsMax = 10'000;
constexpr std::size_t kNodesOctetsMax = 1024 * 1024;
/// Versions that one session keeps because their journal was read beyond what a pass sends: some slices of it.
constexpr std::size_t kAheadOctetsMax = 32UL * 1024 * 1024;
constexpr std::size_t kReasonMax = 64;
constexpr std::size_t kDetailMax = 512;
constexpr seconds kNotifyPeriodMin(1);
constexpr seconds kNotifyPeriodMax(3600);

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, v1::Position* out) {
  out->set_zone(zone.wire());
  out->set_epoch(position.epoch);
  out->set_serial(position.serial);
  out->set_digest(position.digest);
}

Result<zone::ZonePosition> FromProto(const v1::Position& position) {
  if (position.digest().size() != 32)
    return Fail(Reason::kValueMalformed, "position.digest", "32 octets", std::to_string(position.digest().size()));
  if (position.epoch() == 0 || position.serial() == 0) return Fail(Reason::kValueOutOfRange, "position", "epoch and serial from 1", "0");
  return zone::ZonePosition{position.epoch(), position.serial(), position.digest()};
}

}  // namespace

/// What both threads of a session, and the board's, use. It outlives the session while the board may still call.
struct FeedSession::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  FollowerLedger ledger;
  bool greeted = false;  // the Hello is there
  bool takes_bundles = false;
  bool woken = false;
  bool over = false;
  std::optional<Error> error;
  TimePoint heard_at = steady_clock::now();
  ZoneBoard::ListenerToken token;

  void Wake() {
    {
      const std::scoped_lock lock(mutex);
      woken = true;
    }
    changed.notify_all();
  }
};

FeedSession::FeedSession(const FeedParts& parts, std::string edge_id, Send send)
    : parts_(parts), edge_id_(std::move(edge_id)), send_(std::move(send)), shared_(std::make_shared<Shared>()) {
  shared_->token = parts_.board.Listen([weak = std::weak_ptr(shared_)] {
    if (const auto shared = weak.lock()) shared->Wake();
  });
}

FeedSession::~FeedSession() = default;

void FeedSession::End(std::optional<Error> error) {
  {
    const std::scoped_lock lock(shared_->mutex);
    if (!shared_->over) shared_->error = std::move(error);
    shared_->over = true;
  }
  shared_->changed.notify_all();
}

bool FeedSession::ended() const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->over;
}

bool FeedSession::EndIfSilent(TimePoint now) {
  {
    const std::scoped_lock lock(shared_->mutex);
    if (now - shared_->heard_at <= kSilenceMax) return false;
  }
  End(Error{Reason::kDeadline, "stream", "a word from the follower every 30 s", "silence"});
  return true;
}

// What the follower says.

void FeedSession::Receive(const v1::FollowRequest& request) {
  Result<void> taken;
  switch (request.message_case()) {
    case v1::FollowRequest::kHello: taken = Hello(request); break;
    case v1::FollowRequest::kApplied: taken = Applied(request); break;
    case v1::FollowRequest::kRefusal: taken = Refused(request); break;
    case v1::FollowRequest::MESSAGE_NOT_SET:
      taken = Fail(Reason::kUnknownField, "message", "hello, applied or refusal", "another one");
      break;
  }
  if (taken && request.has_secondaries()) taken = Secondaries(request.secondaries());
  if (!taken) return End(taken.error());
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->heard_at = steady_clock::now();
  }
  shared_->Wake();
}

Result<void> FeedSession::Hello(const v1::FollowRequest& request) {
  const v1::FollowRequest::Hello& hello = request.hello();
  if (hello.format_version() < kFormatVersionMin || hello.format_version() > kFormatVersionMax)
    return Fail(Reason::kSchemaMismatch, "hello.format_version",
                std::to_string(kFormatVersionMin) + " to " + std::to_string(kFormatVersionMax), std::to_string(hello.format_version()));
  if (static_cast<std::size_t>(hello.positions_size()) > kPositionsMax)
    return Fail(Reason::kLimitExceeded, "hello.positions", "at most " + std::to_string(kPositionsMax),
                std::to_string(hello.positions_size()));
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->greeted) return Fail(Reason::kValueMalformed, "hello", "one Hello a stream", "a second one");
  for (const v1::Position& proto : hello.positions()) {
    auto zone = dns::Name::FromWire(proto.zone(), "position.zone");
    if (!zone) return tl::unexpected(zone.error());
    auto position = FromProto(proto);
    if (!position) return tl::unexpected(position.error());
    shared_->ledger.Hold(*zone, *position);
  }
  shared_->greeted = true;
  shared_->takes_bundles = hello.format_version() >= 2;
  return {};
}

Result<void> FeedSession::Applied(const v1::FollowRequest& request) {
  const v1::FollowRequest::Applied& applied = request.applied();
  if (static_cast<std::size_t>(applied.others_size()) > kPositionsMax)
    return Fail(Reason::kLimitExceeded, "applied.others", "at most " + std::to_string(kPositionsMax),
                std::to_string(applied.others_size()));
  std::vector<std::pair<Octets, zone::ZonePosition>> reached;
  const auto take = [&](const v1::Position& proto) -> Result<void> {
    auto position = FromProto(proto);
    if (!position) return tl::unexpected(position.error());
    reached.emplace_back(proto.zone(), *std::move(position));
    return {};
  };
  if (applied.has_position()) {
    if (auto taken = take(applied.position()); !taken) return taken;
  }
  Result<SentMessage> answered;
  {
    const std::scoped_lock lock(shared_->mutex);
    answered = shared_->ledger.Apply(applied.has_position() ? std::optional(reached.front().second) : std::nullopt);
  }
  if (!answered) return tl::unexpected(answered.error());
  if (applied.has_position() && answered->zone.wire() != reached.front().first)
    return Fail(Reason::kValueMalformed, "applied.position.zone", answered->zone.Format(), "another");
  for (const v1::Position& other : applied.others()) {
    if (auto taken = take(other); !taken) return taken;
  }
  if (reached.empty()) return {};
  const auto zones = parts_.board.Zones();
  std::unordered_map<OctetsView, std::int32_t> ids;
  for (const store::FeedZone& zone : *zones) ids.emplace(zone.name.wire(), zone.zone_id);
  for (const auto& [wire, position] : reached) {
    const auto zone = ids.find(wire);
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
  if (static_cast<std::size_t>(report.secondaries_size()) > limits::kSecondariesMax ||
      static_cast<std::size_t>(report.standings_size()) > kPositionsMax)
    return Fail(Reason::kLimitExceeded, "secondaries",
                "at most " + std::to_string(limits::kSecondariesMax) + " with " + std::to_string(kPositionsMax) + " standings",
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

// What it is told.

Result<void> FeedSession::Serve(const std::function<Result<void>()>& check_caller) {
  bool current = false;
  TimePoint checked_at = steady_clock::now();
  sent_at_ = checked_at;
  if (AwaitStart()) {
    for (const Error& error : parts_.board.Quarantined())
      process::LogError(LogLevel::kError, "feed.zone_withheld", error, {{"edge", edge_id_}});
    const auto zones = parts_.board.Zones();
    // Where the edge says nothing, it holds nothing: a lost disk must not look live.
    for (const store::FeedZone& zone : *zones) {
      const std::scoped_lock lock(shared_->mutex);
      parts_.recorder.Record(edge_id_, zone.zone_id, shared_->ledger.Sent(zone.name));
    }
  }
  while (!ended()) {
    {
      const std::scoped_lock lock(shared_->mutex);
      shared_->woken = false;
    }
    deferred_ = false;
    Round(*parts_.board.Zones());
    if (!current && !deferred_) current = Heartbeat();
    const TimePoint now = steady_clock::now();
    if (now - checked_at >= kCheckCallerEvery) {
      checked_at = now;
      // PostgreSQL being away says nothing about the caller.
      if (auto checked = check_caller(); !checked && checked.error().reason != Reason::kUnavailable) End(checked.error());
    }
    if (now - sent_at_ >= kHeartbeatEvery) Heartbeat();
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, kIdleMax, [&] { return shared_->woken || shared_->over; });
  }
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->error) return tl::unexpected(*shared_->error);
  return {};
}

/// Waits for the Hello, and for the board's first look at the database. Returns false when the session ended first.
bool FeedSession::AwaitStart() {
  std::unique_lock lock(shared_->mutex);
  while (!shared_->over) {
    if (shared_->greeted && parts_.board.Zones() != nullptr) return true;
    shared_->changed.wait_for(lock, kIdleMax);
    const bool waits_for_us = shared_->greeted && steady_clock::now() - sent_at_ >= kHeartbeatEvery;
    if (waits_for_us) {
      lock.unlock();
      End(Error{Reason::kUnavailable, "feed", "a database that can be read", "none yet"});
      return false;
    }
  }
  return false;
}

/// Brings every zone as far as it can be brought now: a version of each at a time, so that those of one moment stay together.
void FeedSession::Round(const ZoneList& zones) {
  std::vector<const store::FeedZone*> behind;
  for (const store::FeedZone& zone : zones) behind.push_back(&zone);
  while (Pass(behind) && !ended()) {
  }
  ahead_.clear();
  ahead_octets_ = 0;
}

/// Brings zones one version on, and leaves those that are not yet where they should be. Returns whether there is more to bring.
/// Children come before their parents (ListFeedZones). A parent waits while a child of its own could not be sent, or not all of it: the
/// delegation must not arrive before what it leads to.
bool FeedSession::Pass(std::vector<const store::FeedZone*>& behind) {
  std::unordered_set<dns::Name> waiting;
  bool more = false, over = false;
  std::erase_if(behind, [&](const store::FeedZone* zone) {
    if (over) return false;
    const Brought brought = waiting.contains(zone->name) ? Brought::kDeferred : Bring(*zone);
    over = brought == Brought::kOver;
    more = more || brought == Brought::kMore;
    if (brought != Brought::kDone && zone->parent) waiting.insert(*zone->parent);
    return brought == Brought::kDone;
  });
  return !over && SendBundle() && more;
}

FeedSession::Brought FeedSession::Bring(const store::FeedZone& zone) {
  FollowerLedger::Step step;
  zone::ZonePosition from;
  {
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->over) return Brought::kOver;
    step = shared_->ledger.Next(zone.name, zone.position, steady_clock::now());
    from = shared_->ledger.Sent(zone.name);
  }
  switch (step) {
    case FollowerLedger::Step::kNothing: return Brought::kDone;
    case FollowerLedger::Step::kVersions: return SendVersions(zone, from);
    case FollowerLedger::Step::kSnapshot: return SendSnapshot(zone);
  }
  return Brought::kDone;
}

FeedSession::Brought FeedSession::SendVersions(const store::FeedZone& zone, const zone::ZonePosition& from) {
  const auto next = NextVersion(zone, from);
  if (!next) {
    process::LogError(LogLevel::kWarning, "feed.journal_not_read", next.error(), {{"zone", zone.name.Format()}});
    deferred_ = true;  // the next round tries again
    return Brought::kDone;
  }
  const VersionPointer& version = *next;
  if (version == nullptr) return !parts_.board.Feeds(zone) ? Brought::kDone : SendSnapshot(zone);
  // One version of a zone fits into a bundle: each is judged by what the follower holds.
  const bool full = bundle_.size() == kBundleVersionsMax || bundle_octets_ + version->delta.size() > kBundleOctetsMax;
  if (full && !SendBundle()) return Brought::kOver;
  bundle_.emplace_back(zone.name, version);
  bundle_octets_ += version->delta.size();
  if (version->position != zone.position) return Brought::kMore;
  shared_->Wake();
  return Brought::kDone;
}

/// Returns the version that follows a position; null: none leads on from there. Reads as many as one look gives.
Result<VersionPointer> FeedSession::NextVersion(const store::FeedZone& zone, const zone::ZonePosition& from) {
  std::deque<VersionPointer>& ahead = ahead_[zone.zone_id];
  // The follower may have refused one meanwhile.
  while (!ahead.empty() && !Follows(*ahead.front(), from)) TakeAhead(ahead);
  if (ahead.empty()) {
    auto versions = parts_.board.VersionsAfter(zone, from);
    if (!versions) return tl::unexpected(versions.error());
    for (VersionPointer& version : *versions) {
      if (!ahead.empty() && ahead_octets_ + version->delta.size() > kAheadOctetsMax) break;
      ahead_octets_ += version->delta.size();
      ahead.push_back(std::move(version));
    }
  }
  return ahead.empty() ? nullptr : TakeAhead(ahead);
}

VersionPointer FeedSession::TakeAhead(std::deque<VersionPointer>& ahead) {
  VersionPointer version = std::move(ahead.front());
  ahead.pop_front();
  ahead_octets_ -= version->delta.size();
  return version;
}

bool FeedSession::SendBundle() {
  bool takes_bundles;
  {
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->over) return false;
    takes_bundles = shared_->takes_bundles;
  }
  const auto bundle = std::exchange(bundle_, {});
  bundle_octets_ = 0;
  const auto write = [](const dns::Name& zone, const store::FeedVersion& version, v1::FollowResponse::Version* out) {
    ToProto(zone, version.position, out->mutable_position());
    out->set_previous_serial(version.previous_serial);
    out->set_previous_digest(version.previous_digest);
    out->set_delta(version.delta);
  };
  for (const auto& [zone, version] : bundle) parts_.metrics.CountVersion(version->delta.size());
  if (bundle.size() > 1 && takes_bundles) {
    v1::FollowResponse response;
    SentMessage message{bundle.front().first, true, bundle.front().second->position, {}};
    for (const auto& [zone, version] : bundle) {
      write(zone, *version, response.mutable_versions()->add_versions());
      if (zone != message.zone) message.others.emplace_back(zone, version->position);
    }
    return Deliver(response, std::move(message));
  }
  for (const auto& [zone, version] : bundle) {
    v1::FollowResponse response;
    write(zone, *version, response.mutable_version());
    if (!Deliver(response, {zone, true, version->position})) return false;
  }
  return true;
}

FeedSession::Brought FeedSession::SendSnapshot(const store::FeedZone& zone) {
  if (!SendBundle()) return Brought::kOver;
  // Others are being read: this one's turn comes with a later round.
  if (!parts_.snapshots.try_acquire()) {
    deferred_ = true;
    return Brought::kDeferred;
  }
  zone::ZonePosition position;
  v1::FollowResponse response;
  const store::FeedSnapshotSink sink{
      .begin = [&](const zone::ZonePosition& at, std::uint64_t node_count, const zone::NodeChange& apex) -> Result<void> {
        position = at;
        auto* begin = response.mutable_snapshot_begin();
        ToProto(zone.name, at, begin->mutable_position());
        begin->set_node_count(node_count);
        begin->set_denial(static_cast<std::uint32_t>(zone.denial));
        begin->set_apex(zone::EncodeDelta({apex}));
        if (zone.parent) begin->set_parent(zone.parent->wire());
        {
          const std::scoped_lock lock(shared_->mutex);
          shared_->ledger.BeginSnapshot(zone.name);
        }
        process::Log(LogLevel::kInfo, "feed.snapshot_begun",
                     {{"edge", edge_id_}, {"zone", zone.name.Format()}, {"serial", at.serial}, {"nodes", node_count}});
        if (!Deliver(response, {zone.name, false, std::nullopt})) return Fail(Reason::kCancelled, "snapshot", "a stream", "its end");
        return {};
      },
      .nodes = [&](const std::vector<zone::NodeChange>& nodes) { return SendNodes(zone, nodes, 0, nodes.size()); }};
  const Result<void> read = store::ReadFeedSnapshot(parts_.database, zone, sink);
  parts_.snapshots.release();
  if (read) {
    response.mutable_snapshot_end()->set_zone(zone.name.wire());
    parts_.metrics.CountSnapshot("sent");
    return Deliver(response, {zone.name, false, position}) ? Brought::kDone : Brought::kOver;
  }
  parts_.metrics.CountSnapshot(ReasonName(read.error().reason));
  if (read.error().reason == Reason::kCancelled) return ended() ? Brought::kOver : Brought::kDone;
  if (read.error().reason == Reason::kRecordTypeForbidden) {
    parts_.board.Quarantine(zone, read.error());
  } else {
    deferred_ = true;
    process::LogError(LogLevel::kError, "feed.snapshot_failed", read.error(), {{"edge", edge_id_}, {"zone", zone.name.Format()}});
  }
  const std::scoped_lock lock(shared_->mutex);
  shared_->ledger.FailSnapshot(zone.name, steady_clock::now());
  return Brought::kDone;
}

Result<void> FeedSession::SendNodes(const store::FeedZone& zone, const std::vector<zone::NodeChange>& nodes, std::size_t begin,
                                    std::size_t end) {
  Octets encoded =
      zone::EncodeDelta({nodes.begin() + static_cast<std::ptrdiff_t>(begin), nodes.begin() + static_cast<std::ptrdiff_t>(end)});
  if (encoded.size() > kNodesOctetsMax && end - begin > 1) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (auto sent = SendNodes(zone, nodes, begin, middle); !sent) return sent;
    return SendNodes(zone, nodes, middle, end);
  }
  {
    const std::scoped_lock lock(shared_->mutex);
    if (!shared_->ledger.SnapshotGoesOn(zone.name)) return Fail(Reason::kCancelled, "snapshot", "a follower that takes it", "a refusal");
  }
  v1::FollowResponse response;
  response.mutable_snapshot_nodes()->set_zone(zone.name.wire());
  response.mutable_snapshot_nodes()->set_nodes(std::move(encoded));
  if (!Deliver(response, {zone.name, false, std::nullopt})) return Fail(Reason::kCancelled, "snapshot", "a stream", "its end");
  return {};
}

bool FeedSession::Heartbeat() {
  v1::FollowResponse response;
  response.mutable_heartbeat();
  {
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->over) return false;
    shared_->ledger.Send({dns::Name(), false, std::nullopt});
  }
  sent_at_ = steady_clock::now();
  if (send_(response)) return true;
  End(std::nullopt);
  return false;
}

/// Waits until the window is open and sends. Returns false when the session is over.
bool FeedSession::Deliver(const v1::FollowResponse& response, SentMessage message) {
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->over || shared_->ledger.WindowOpen(); });
    if (shared_->over) return false;
    shared_->ledger.Send(std::move(message));
  }
  sent_at_ = steady_clock::now();
  if (send_(response)) return true;
  End(std::nullopt);
  return false;
}

}  // namespace idzone::feed
