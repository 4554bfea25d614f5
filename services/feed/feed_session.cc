// SPDX-License-Identifier: MIT
#include "services/feed/feed_session.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/feed/feed_session_state.h"
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

}  // namespace

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

Result<void> FeedSession::Serve(const std::function<Result<void>()>& check_caller) {
  bool told_behind = true;
  TimePoint checked_at = steady_clock::now();
  sent_at_ = checked_at;
  if (AwaitStart()) {
    for (const Error& error : parts_.board.Quarantined())
      process::LogError(LogLevel::kError, "feed.zone_withheld", error, {{"edge", edge_id_}});
    const auto zones = parts_.board.Zones();
    // Where the edge says nothing, it holds nothing: a lost disk must not look live.
    RecordReached(*zones);
  }
  while (!ended()) {
    {
      const std::scoped_lock lock(shared_->mutex);
      shared_->woken = false;
    }
    deferred_ = false;
    Round(*parts_.board.Zones());
    const bool behind = deferred_ || !parts_.board.IsFresh();
    const TimePoint now = steady_clock::now();
    if (now - checked_at >= kCheckCallerEvery) {
      checked_at = now;
      // PostgreSQL being away says nothing about the caller.
      if (auto checked = check_caller(); !checked && checked.error().reason != Reason::kUnavailable) End(checked.error());
    }
    if ((told_behind && !behind) || now - sent_at_ >= kHeartbeatEvery) {
      Heartbeat(behind);
      told_behind = behind;
    }
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
    deferred_ = deferred_ || (step == FollowerLedger::Step::kNothing && shared_->ledger.HasFailed(zone.name));
  }
  switch (step) {
    case FollowerLedger::Step::kNothing: return Brought::kDone;
    case FollowerLedger::Step::kVersions: return SendVersions(zone, from);
    case FollowerLedger::Step::kSnapshot: return SendSnapshot(zone);
  }
  return Brought::kDone;
}

bool FeedSession::Heartbeat(bool behind) {
  v1::FollowResponse response;
  response.mutable_heartbeat()->set_behind(behind);
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
