// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "services/replica/recovery.h"
#include "services/replica/watch.h"
#include "services/replica/writer.h"

namespace idzone::replica {

/// The replica from the daemon's start to its end: inspected before it is opened, made anew beside a damaged one (recovery.h),
/// watched while it is served (watch.h). Threads: the daemon's main one, beside the watch's own.
class ReplicaHome {
 public:
  struct Options {
    std::string directory;
    std::size_t map_octets = 0;
    std::string inspector = "/proc/self/exe";  // a program that knows `--inspect DIRECTORY`
  };

  /// Opens the replica, or a new one that is to take its place, with the pins that the old one had.
  /// CANCELLED when a stop was requested; otherwise what ReplicaWriter::Open and InspectInChild say.
  static Result<std::unique_ptr<ReplicaHome>> Open(Options options, const std::stop_token& stop);

  ReplicaWriter& writer() { return *writer_; }
  /// What a replica that is being made anew must not forget: empty otherwise.
  const std::vector<Remembered>& remembered() const { return remembered_; }

  /// The follower has all that the feed has: a new replica takes its place. Called again, nothing happens.
  Result<void> MoveIn();
  /// Says whether that was done, or was not needed.
  bool served() const { return !place_.aside; }

  /// Requested when the replica turned out to be damaged: the daemon has to end, and to be started again.
  std::stop_token lost() const { return lost_.get_token(); }
  std::optional<Error> damage() const;

 private:
  ReplicaHome(Options options, WritePlace place) : options_(std::move(options)), place_(std::move(place)) {}
  void Watch();
  std::optional<Error> InspectLive() const;

  const Options options_;
  WritePlace place_;
  std::vector<Remembered> remembered_;
  std::unique_ptr<ReplicaWriter> writer_;
  std::stop_source lost_;
  mutable std::mutex damage_mutex_;
  std::optional<Error> damage_;
  std::unique_ptr<ReplicaWatch> watch_;  // last: it ends before what it looks at
};

}  // namespace idzone::replica
