// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "services/core/base/error.h"

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
};

/// The connection to the feed: keeps one stream, brings its messages to the follower and the answers back, and comes
/// again with bounded, jittered patience when the stream ends. Losing the feed is no trouble for DNS: what is held is
/// served on, and a daemon that was current stays ready.
class FeedLink {
 public:
  FeedLink(std::shared_ptr<grpc::Channel> channel, Follower& follower, FollowerMetrics& metrics, LinkEvents events);

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

  const std::shared_ptr<grpc::Channel> channel_;
  Follower& follower_;
  FollowerMetrics& metrics_;
  const LinkEvents events_;
};

}  // namespace idzone::replica
