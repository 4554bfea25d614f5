// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "services/nameserver/zone_news.h"
#include "services/replica/reader.h"

/// PowerDNS keeps whole answers for cache-ttl seconds. What a version changes must not wait that long: as soon as the replica
/// has a new version, the names that it changed are forgotten.
///
/// Strategy: one thread looks every kTick whether anything was committed (one load from the map), reads from the replica's
/// list which names that changed, and forgets these. An answer that was being made from the version before may be kept
/// after that; so the same names are forgotten again kRepeats ticks later. Ticks and not time, so that when the whole
/// process stood still (a machine that was paused), who was making an answer has had as many turns as this thread.
///
/// Bound: an answer from the version before is given for at most kTick and the time to forget (about a microsecond a name)
/// after the commit; where its making overlapped with that, until the repeat that follows its end: 10 ms, 100 ms, or 1 s after
/// the first time. If a thread was denied the processor for more than a second between its last look into the replica and
/// its answer, the stale answer stays for cache-ttl, 20 s by default.
namespace idzone::nameserver {

/// The name server's caches. Names in wire form, lower case. Each call forgets what was there when it began. Threads: any.
class AnswerCaches {
 public:
  virtual ~AnswerCaches() = default;
  /// Answers about the name itself, of all types.
  virtual void ForgetName(OctetsView name) = 0;
  /// Answers about the name and all below it.
  virtual void ForgetBelow(OctetsView name) = 0;
  /// As ForgetBelow, and what is known of the zone beside its records.
  virtual void ForgetZone(OctetsView apex) = 0;
  virtual void ForgetAll() = 0;
};

/// Threads: one.
class CachePurge {
 public:
  static constexpr std::chrono::milliseconds kTick{5};
  /// Ticks after the first time: 10 ms, 100 ms, 1 s.
  static constexpr std::array<std::uint64_t, 3> kRepeats = {2, 20, 200};
  /// Names that wait for being forgotten again; beyond that everything is.
  static constexpr std::size_t kWaitingMax = 100'000;

  /// The replica as it is now; null: there is none.
  using Current = std::function<std::shared_ptr<replica::Environment>()>;

  /// `caches` and `news` must outlive it. The news are told here too, for a server that nobody asks.
  CachePurge(Current current, AnswerCaches& caches, ZoneNews& news) : current_(std::move(current)), caches_(caches), news_(news) {}

  /// Starts the thread, which lives as long as the process. Requires: this does so too.
  void RunForever();
  /// What the thread does each kTick.
  void Tick();

 private:
  /// What one look found.
  struct Batch {
    bool all = false;
    std::vector<replica::ChangedName> names;
    std::uint64_t first_tick = 0;
  };

  void Follow(std::shared_ptr<replica::Environment> current);
  Batch Look();
  void Forget(const Batch& batch);
  void Wait(std::size_t repeat, Batch batch);
  void ForgetAgain();

  const Current current_;
  AnswerCaches& caches_;
  ZoneNews& news_;
  std::uint64_t tick_ = 0;
  std::shared_ptr<replica::Environment> environment_;
  std::optional<replica::Snapshot> snapshot_;
  std::uint64_t commit_ = 0;                                // that was looked at last
  std::optional<std::uint64_t> place_;                      // in the list of changes; nothing: not looked at yet
  std::array<std::deque<Batch>, kRepeats.size()> waiting_;  // a queue for each repeat, the oldest first
  std::size_t waiting_names_ = 0;
};

}  // namespace idzone::nameserver
