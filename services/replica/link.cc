// SPDX-License-Identifier: MIT
#include "services/replica/link.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "idzone/feed/v1/feed_service.grpc.pb.h"
#include "services/process/lifecycle.h"
#include "services/process/log.h"
#include "services/replica/follower.h"
#include "services/replica/follower_metrics.h"
#include "services/rpc/error_mapping.h"

namespace idzone::replica {
namespace {

using process::LogLevel;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kSilenceMax(30);
constexpr seconds kWatchEvery(1);
constexpr milliseconds kFirstWait(200);
constexpr milliseconds kLastWait(10'000);
/// After a full map: an operator has to make room first.
constexpr seconds kDiskWait(30);

/// Ends a stream whose other end says nothing. Only time spent waiting counts, not time spent applying.
class SilenceWatch {
 public:
  explicit SilenceWatch(grpc::ClientContext& context)
      : thread_([this, &context](const std::stop_token& stop) {
          while (process::SleepFor(stop, kWatchEvery)) {
            const steady_clock::rep since = waiting_since_;
            if (since == 0 || steady_clock::now() - steady_clock::time_point(steady_clock::duration(since)) < kSilenceMax) continue;
            process::Log(LogLevel::kWarning, "replica.feed_silent", {{"seconds", kSilenceMax.count()}});
            context.TryCancel();
            return;
          }
        }) {}

  void Waiting() { waiting_since_ = steady_clock::now().time_since_epoch().count(); }
  void Working() { waiting_since_ = 0; }

 private:
  std::atomic<steady_clock::rep> waiting_since_ = 0;
  std::jthread thread_;
};

void WriteReport(const zone::SecondaryReport& report, feed::v1::SecondaryReport* out) {
  out->set_notify_period_seconds(static_cast<std::uint32_t>(report.notify_period.count()));
  for (const std::string& secondary : report.secondaries) out->add_secondaries(secondary);
  for (const zone::SecondaryStanding& standing : report.standings) {
    auto* proto = out->add_standings();
    proto->set_secondary(standing.secondary);
    proto->set_zone(standing.zone.wire());
    proto->set_serves(standing.serves);
    proto->set_epoch(standing.epoch);
    proto->set_serial(standing.serial);
  }
}

}  // namespace

FeedLink::FeedLink(std::shared_ptr<grpc::Channel> channel, Follower& follower, FollowerMetrics& metrics, LinkEvents events,
                   LinkOptions options)
    : channel_(std::move(channel)), follower_(follower), metrics_(metrics), events_(std::move(events)), options_(options) {}

/// Tells what the message that was just answered has changed.
void FeedLink::NoteHealth(Ended& ended) {
  const std::lock_guard lock(health_mutex_);
  if (!follower_.held_back().empty()) {
    const auto& [zone, why] = *follower_.held_back().begin();
    if (!held_back_) events_.trouble("zone " + zone.Format() + " is held back: " + why);
    held_back_ = true;
    return;
  }
  if (!follower_.current() || follower_.lags()) return;
  current_at_ = steady_clock::now();
  const bool again = std::exchange(held_back_, false) | std::exchange(lagging_, false);
  if (!ended.was_current) process::Log(LogLevel::kInfo, "replica.current");
  if (!ended.was_current || again) events_.current();
  ended.was_current = true;
}

void FeedLink::Trouble(const std::string& reason) {
  const std::lock_guard lock(health_mutex_);
  events_.trouble(reason);
}

void FeedLink::WatchLag(const std::stop_token& stop) {
  while (process::SleepFor(stop, kWatchEvery)) {
    const std::lock_guard lock(health_mutex_);
    if (!current_at_ || lagging_ || steady_clock::now() - *current_at_ <= options_.lag_max) continue;
    lagging_ = true;
    process::Log(LogLevel::kError, "replica.lags", {{"seconds_max", options_.lag_max.count()}});
    events_.trouble("feed: nothing new for more than " + std::to_string(options_.lag_max.count()) + " s (replica.lag_max_seconds)");
  }
}

FeedLink::Ended FeedLink::RunStream(const std::stop_token& stop) {
  Ended ended;
  auto hellos = follower_.Begin();
  if (!hellos) return {false, hellos.error(), hellos.error()};
  for (auto& hello : *hellos) hello.set_not_served(!events_.served());
  const auto stub = feed::v1::FeedService::NewStub(channel_);
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  SilenceWatch watch(context);
  watch.Waiting();
  const auto stream = stub->Follow(&context);
  feed::v1::FollowResponse message;
  bool alive = std::all_of(hellos->begin(), hellos->end(), [&](const auto& hello) { return stream->Write(hello); });
  bool readable = true;
  bool first = true;
  while (alive && (readable = stream->Read(&message))) {
    watch.Working();
    metrics_.SetConnected(true);
    auto answer = follower_.Answer(message);
    if (!answer) {
      // Nothing is answered that is not durable: the stream ends here.
      ended.disk = answer.error();
      context.TryCancel();
      break;
    }
    if (follower_.caught_up()) {
      if (auto moved = events_.caught_up(); !moved) {
        ended.disk = moved.error();
        context.TryCancel();
        break;
      }
    }
    answer->set_not_served(!events_.served());
    NoteHealth(ended);
    if (const auto report = events_.secondaries(std::exchange(first, false))) WriteReport(*report, answer->mutable_secondaries());
    watch.Waiting();
    alive = stream->Write(*answer);
  }
  // Finish waits until everything that came was read, and a feed that drains ends the stream behind messages that lie here still.
  while (readable && stream->Read(&message)) {
  }
  watch.Working();
  if (alive && !ended.disk) stream->WritesDone();
  const grpc::Status status = stream->Finish();
  metrics_.SetConnected(false);
  ended.error = status.ok() ? Error{Reason::kUnavailable, "feed", "a stream that goes on", "its end"} : rpc::ErrorFromStatus(status);
  return ended;
}

Result<void> FeedLink::Run(const std::stop_token& stop) {
  const std::jthread lag_watch([this](const std::stop_token& ended) { WatchLag(ended); });
  return Keep(stop);
}

Result<void> FeedLink::Keep(const std::stop_token& stop) {
  process::Backoff backoff(kFirstWait, kLastWait);
  bool ever_current = false;
  while (!stop.stop_requested()) {
    const Ended ended = RunStream(stop);
    if (stop.stop_requested()) return {};
    if (ended.disk) {
      process::LogError(LogLevel::kError, "replica.disk_failed", *ended.disk);
      Trouble("disk: " + std::string(ReasonName(ended.disk->reason)) + " " + ended.disk->Detail());
      // After a failed fsync nobody knows what the disk holds: only a new process, which opens the file anew, may go on.
      if (ended.disk->reason != Reason::kLimitExceeded) return tl::unexpected(*ended.disk);
      ever_current = false;
      process::SleepFor(stop, kDiskWait);
      continue;
    }
    process::LogError(LogLevel::kWarning, "replica.feed_lost", ended.error);
    ever_current = ever_current || ended.was_current;
    if (!ever_current) Trouble("feed: " + std::string(ReasonName(ended.error.reason)) + " " + ended.error.Detail());
    if (ended.was_current) backoff.Reset();
    process::SleepFor(stop, backoff.Next());
  }
  return {};
}

}  // namespace idzone::replica
