// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "services/core/base/error.h"
#include "services/core/zone/secondary_report.h"

namespace grpc {
class Channel;
}

namespace idzone::replica {

class Follower;
class FollowerMetrics;

/// Told of what changes for those who watch the daemon.
struct LinkEvents {
  std::function<void()> current;                           // everything that the feed had was applied
  std::function<void(const std::string& reason)> trouble;  // no longer, or not yet; one line
  /// All that the feed had was applied, or refused; may be called again. An error is the disk's.
  std::function<Result<void>()> caught_up = [] { return Result<void>(); };
  /// Says whether the replica that the follower writes is the one that is served.
  std::function<bool()> served = [] { return true; };
  /// Where foreign secondaries stand: what is new of it, or, with the first answer of a stream, all.
  std::function<std::optional<zone::SecondaryReport>(bool all)> secondaries = [](bool) { return std::nullopt; };
};

struct LinkOptions {
  /// How long the feed may be away, or its versions not be applied, before that is trouble.
  std::chrono::seconds lag_max{3600};
};

/// The connection to the feed: keeps one stream, brings its messages to the follower and the answers back, and comes
/// again with bounded, jittered patience when the stream ends. Losing the feed is no trouble for DNS: what is held is
/// served on, and a daemon that was current stays ready until it lags too far. A zone that waits for an operator's word is
/// trouble at once. Events may come from two threads, one at a time.
class FeedLink {
 public:
  FeedLink(std::shared_ptr<grpc::Channel> channel, Follower& follower, FollowerMetrics& metrics, LinkEvents events,
           LinkOptions options = {});

  /// Runs until a stop is requested. An error means that the replica's disk fails in a way that trying again does not
  /// heal. A full map is not such a failure: it is told, and tried again.
  Result<void> Run(const std::stop_token& stop);

 private:
  struct Ended {
    bool was_current = false;
    Error error;                     // why the stream ended
    std::optional<Error> disk = {};  // the replica could not be written
  };
  Ended RunStream(const std::stop_token& stop);
  Result<void> Keep(const std::stop_token& stop);
  void NoteHealth(Ended& ended);
  void Trouble(const std::string& reason);
  void WatchLag(const std::stop_token& stop);

  const std::shared_ptr<grpc::Channel> channel_;
  Follower& follower_;
  FollowerMetrics& metrics_;
  const LinkEvents events_;
  const LinkOptions options_;
  std::mutex health_mutex_;                                          // of what follows, and of the events
  std::optional<std::chrono::steady_clock::time_point> current_at_;  // when everything that the feed had was last applied
  bool lagging_ = false;
  bool held_back_ = false;
};

}  // namespace idzone::replica
