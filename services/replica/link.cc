// SPDX-License-Identifier: MIT
#include "services/replica/link.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <atomic>
#include <chrono>

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

}  // namespace

FeedLink::FeedLink(std::shared_ptr<grpc::Channel> channel, Follower& follower, FollowerMetrics& metrics, LinkEvents events)
    : channel_(std::move(channel)), follower_(follower), metrics_(metrics), events_(std::move(events)) {}

FeedLink::Ended FeedLink::RunStream(const std::stop_token& stop) {
  Ended ended;
  auto hello = follower_.Begin();
  if (!hello) return {false, hello.error(), hello.error()};
  const auto stub = feed::v1::FeedService::NewStub(channel_);
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  SilenceWatch watch(context);
  watch.Waiting();
  const auto stream = stub->Follow(&context);
  feed::v1::FollowResponse message;
  bool alive = stream->Write(*hello);
  bool readable = true;
  while (alive && (readable = stream->Read(&message))) {
    watch.Working();
    metrics_.SetConnected(true);
    const auto answer = follower_.Answer(message);
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
    if (follower_.current() && !ended.was_current) {
      ended.was_current = true;
      process::Log(LogLevel::kInfo, "replica.current");
      events_.current();
    }
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
  process::Backoff backoff(kFirstWait, kLastWait);
  bool ever_current = false;
  while (!stop.stop_requested()) {
    const Ended ended = RunStream(stop);
    if (stop.stop_requested()) return {};
    if (ended.disk) {
      process::LogError(LogLevel::kError, "replica.disk_failed", *ended.disk);
      events_.trouble("disk: " + std::string(ReasonName(ended.disk->reason)) + " " + ended.disk->Detail());
      // After a failed fsync nobody knows what the disk holds: only a new process, which opens the file anew, may go on.
      if (ended.disk->reason != Reason::kLimitExceeded) return tl::unexpected(*ended.disk);
      ever_current = false;
      process::SleepFor(stop, kDiskWait);
      continue;
    }
    process::LogError(LogLevel::kWarning, "replica.feed_lost", ended.error);
    ever_current = ever_current || ended.was_current;
    if (!ever_current) events_.trouble("feed: " + std::string(ReasonName(ended.error.reason)) + " " + ended.error.Detail());
    if (ended.was_current) backoff.Reset();
    process::SleepFor(stop, backoff.Next());
  }
  return {};
}

}  // namespace idzone::replica
