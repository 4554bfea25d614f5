// SPDX-License-Identifier: MIT
// What the follower is told: versions, those of one moment together, or a snapshot.
#include <algorithm>
#include <utility>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/feed/feed_session_state.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

using process::LogLevel;
using std::chrono::steady_clock;

/// A bundle is one transaction of the follower, during which it serves the versions before.
constexpr std::size_t kBundleVersionsMax = 256;
constexpr std::size_t kBundleOctetsMax = 1024 * 1024;
constexpr std::size_t kNodesOctetsMax = 1024 * 1024;
/// Versions that one session keeps because their journal was read beyond what a pass sends: some slices of it.
constexpr std::size_t kAheadOctetsMax = 32UL * 1024 * 1024;

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, v1::Position* out) {
  out->set_zone(zone.wire());
  out->set_epoch(position.epoch);
  out->set_serial(position.serial);
  out->set_digest(position.digest);
}

}  // namespace

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

/// A database that was restored from a backup publishes the serials that the follower has had once more, with other content. A snapshot
/// of what has overtaken the follower looks like any other, and could bring revoked identities back.
bool FeedSession::TellFork(const store::FeedZone& zone) {
  std::optional<zone::ZonePosition> held;
  {
    const std::scoped_lock lock(shared_->mutex);
    held = shared_->ledger.NotYetCompared(zone.name);
  }
  // Where the serial has not come back yet, the follower sees that itself; another epoch is an operator's word.
  if (!held || held->epoch != zone.position.epoch || !dns::SerialLess(held->serial, zone.position.serial)) return true;
  const auto fork = parts_.board.ForkOf(zone, *held);
  if (!fork) {
    process::LogError(LogLevel::kWarning, "feed.journal_not_read", fork.error(), {{"zone", zone.name.Format()}});
    return true;  // the snapshot cannot be read either
  }
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->ledger.NoteCompared(zone.name);
  }
  if (!*fork) return true;
  process::Log(LogLevel::kError, "feed.history_forked", {{"edge", edge_id_}, {"zone", zone.name.Format()}, {"serial", held->serial}});
  // Without what it changes, for it is to be refused.
  v1::FollowResponse response;
  ToProto(zone.name, (*fork)->position, response.mutable_version()->mutable_position());
  response.mutable_version()->set_previous_serial((*fork)->previous_serial);
  response.mutable_version()->set_previous_digest((*fork)->previous_digest);
  return Deliver(response, {zone.name, true, std::nullopt});
}

FeedSession::Brought FeedSession::SendSnapshot(const store::FeedZone& zone) {
  if (!SendBundle() || !TellFork(zone)) return Brought::kOver;
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

}  // namespace idzone::feed
