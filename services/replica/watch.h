// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "services/replica/environment.h"

/// Watches the replica while the daemon writes it: LMDB looks at no more of it than a version needs, and does not notice that
/// its file is gone. Damage ends the daemon, because only a new process may open the files anew; what comes then is in
/// recovery.h.
namespace idzone::replica {

/// What the watch sees between two looks.
enum class Sight {
  kNothing,
  kGone,       // the file is not there, is another one, or is shorter than it was
  kSuspicion,  // a reader noted damage, or died
};

/// One replica's files, looked at again and again. Threads: one.
class FileWatch {
 public:
  /// `directory` is where readers look for the environment's files, from now on.
  FileWatch(std::shared_ptr<Environment> environment, std::string directory);

  Sight Look();
  /// Readers whose process was gone at the last look; their slots are free again.
  int dead_readers() const { return dead_readers_; }

 private:
  const std::shared_ptr<Environment> environment_;
  const std::string directory_;
  std::uint64_t octets_ = 0;
  std::uint64_t notes_ = 0;
  int dead_readers_ = 0;
};

struct WatchEvents {
  /// Looks whether a suspicion is right: returns the damage, or nothing.
  std::function<std::optional<Error>()> inspect;
  std::function<void(int readers)> readers_died;
  std::function<void()> suspicion_dropped;
  /// Called once; the watch is over then.
  std::function<void(const Error& damage)> damaged;
};

/// A thread that looks four times a second. A replica that was inspected and is whole is not inspected again for ten
/// times as long as that took, so that a reader that dies for its own reasons, again and again, costs a tenth of a processor.
class ReplicaWatch {
 public:
  static constexpr std::chrono::milliseconds kTick{250};

  ReplicaWatch(FileWatch files, WatchEvents events);

 private:
  void Run(const std::stop_token& stop);

  FileWatch files_;
  const WatchEvents events_;
  std::jthread thread_;
};

}  // namespace idzone::replica
