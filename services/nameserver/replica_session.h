// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "services/nameserver/zone_news.h"
#include "services/replica/environment.h"
#include "services/replica/reader.h"

/// Who holds which snapshot of the replica, and for how long.
///
/// PowerDNS asks several times per query and says neither where a query begins nor where it ends; one answer must not
/// mix two versions of a zone. So a snapshot is taken where a query is seen to open, and kept until the next one opens.
/// Since a held snapshot makes the file grow with every version, the source moves idle sessions on.
///
/// Which zone a question is about, PowerDNS has looked up before it opens the query. So a version that brings zones is not
/// answered from as soon as PowerDNS was told of them, but kSettle later: who looked before that still gets the version that
/// fits, and nobody a referral from a parent where the child has the answer.
namespace idzone::nameserver {

class Session;

/// Where lines for the operator go: an event id, then a sentence.
using Report = std::function<void(const std::string& text)>;

/// The process's one replica (a second open of the file would drop the locks of the first). It opens the replica as
/// soon as there is one, and again when another file takes its place; one thread does that and moves idle sessions on.
/// Threads: any.
class ReplicaSource {
 public:
  static constexpr std::chrono::milliseconds kTick{250};
  static constexpr std::chrono::milliseconds kIdle{500};
  /// How long an idle session goes on holding what is not the newest version. An edge that has fallen behind catches up with a
  /// hundred versions a second and more, and none of the pages that they free is used again while an older version is held.
  static constexpr std::chrono::milliseconds kMove{20};
  static constexpr unsigned kMovesPerTick = 12;
  /// From PowerDNS's look-up of the zone to the query's opening: microseconds, unless the thread is denied the processor.
  static constexpr std::chrono::milliseconds kSettle{20};

  /// Tries to open at once, so that a replica that is there can be read from now on.
  /// `news` are told of each snapshot before it is answered from; null: nobody wants them. They must outlive it.
  ReplicaSource(std::string directory, Report report, ZoneNews* news = nullptr);
  /// Of a replica that this process has open already, because it writes it.
  ReplicaSource(std::shared_ptr<replica::Environment> environment, Report report, ZoneNews* news = nullptr)
      : directory_(environment->directory()), report_(std::move(report)), news_(news), environment_(std::move(environment)) {}
  /// Requires: no Session is left, no thread runs.
  ~ReplicaSource() = default;
  ReplicaSource(const ReplicaSource&) = delete;
  ReplicaSource& operator=(const ReplicaSource&) = delete;

  /// Starts the thread, which lives as long as the process. Requires: the source does so too.
  void RunForever();
  /// What the thread does each kTick: opens, notices a replaced file, moves idle sessions on.
  void Tick(std::chrono::steady_clock::time_point now);
  /// What it does each kMove: moves idle sessions on.
  void MoveIdleOn(std::chrono::steady_clock::time_point now);

  /// Returns the replica as it is now, or null while there is none.
  std::shared_ptr<replica::Environment> Current() const;
  void ReportLine(const std::string& text) const { report_(text); }
  /// Tells what is damaged in the list of zones, once until it changes: the list is read every second. Empty: nothing.
  void ReportDamages(const std::string& damages);
  /// Tells idzone-replicad that something of the replica could not be read, at most once a second.
  void NoteDamage();

 private:
  friend class Session;
  void TryOpen();
  void Replace();
  void Failed(const Error& error);

  const std::string directory_;
  const Report report_;
  ZoneNews* const news_;
  std::string last_failure_;  // so that each is told once; only Tick and the constructor touch it
  // Order: sessions_mutex_, then a session's mutex, then environment_mutex_.
  std::mutex sessions_mutex_;
  std::set<Session*> sessions_;
  std::mutex damages_mutex_;
  std::string last_damages_;
  std::atomic<std::chrono::steady_clock::rep> noted_at_ = 0;
  mutable std::mutex environment_mutex_;
  std::shared_ptr<replica::Environment> environment_;
};

/// One backend instance's view. Holds nothing until the first query opens.
/// Threads: one at a time, beside the source's, which only moves it on.
class Session {
 public:
  /// The source must outlive it.
  explicit Session(ReplicaSource& source);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The snapshot, which does not change as long as this lives.
  class Use {
   public:
    Use(std::unique_lock<std::mutex> lock, replica::Snapshot* snapshot, std::uint64_t moment)
        : lock_(std::move(lock)), snapshot_(snapshot), moment_(moment) {}
    /// Null: there is no replica.
    replica::Snapshot* snapshot() const { return snapshot_; }
    /// While it is the same, so is everything that the snapshot shows, and views that were read from it are valid.
    std::uint64_t moment() const { return moment_; }

   private:
    std::unique_lock<std::mutex> lock_;
    replica::Snapshot* snapshot_;
    std::uint64_t moment_;
  };

  /// A query opens, whose zone PowerDNS found in its list: takes the newest snapshot that every such query may be answered from.
  Result<Use> Open(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) { return OpenAt(now, Settled::kAwaited); }
  /// What did not go by PowerDNS's list opens (a transfer, that list itself): takes the newest snapshot.
  Result<Use> OpenNewest(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) {
    return OpenAt(now, Settled::kIgnored);
  }
  /// A query goes on: the snapshot that it was opened with. UNAVAILABLE when the session was moved on to a newer one (the
  /// query slept), and the client asks again.
  Result<Use> Continue();
  /// What was read from it could not be read. LMDB lets nobody read on in a snapshot that has met a damaged page, so the next Open takes
  /// another, even of the same version: other names are on other pages. Threads: also the one that holds a Use.
  void Spoil() { spoilt_ = true; }
  /// Pinned, the snapshot is kept however long the pauses are: a transfer goes on. The next Open ends that, too.
  void SetPinned(bool pinned);

 private:
  friend class ReplicaSource;
  /// Moves on when idle, and lets go of a replica that is not `current` any more even when pinned.
  void MoveOn(std::chrono::steady_clock::time_point now, const std::shared_ptr<replica::Environment>& current);
  void LetGo();
  void Adopt(std::shared_ptr<replica::Environment> current);
  /// Whether zones that a snapshot brings must have been told kSettle before.
  enum class Settled { kAwaited, kIgnored };
  Result<Use> OpenAt(std::chrono::steady_clock::time_point now, Settled settled);
  /// Takes the newest snapshot, or while that is waited for the one before.
  Result<void> Advance(std::chrono::steady_clock::time_point now, Settled settled);
  Result<void> TakeNext(std::chrono::steady_clock::time_point now);
  Use Used(std::unique_lock<std::mutex> lock) { return {std::move(lock), snapshot_.get(), moment_}; }

  ReplicaSource& source_;
  std::mutex mutex_;
  std::shared_ptr<replica::Environment> environment_;
  std::unique_ptr<replica::Snapshot> snapshot_;
  std::unique_ptr<replica::Snapshot> next_;  // held: a newer one, which is answered from as of next_from_
  std::chrono::steady_clock::time_point next_from_;
  std::chrono::steady_clock::time_point last_use_;
  std::uint64_t moment_ = 0;
  std::uint64_t opened_moment_ = 0;  // of the query that was opened last
  bool pinned_ = false;
  std::atomic<bool> spoilt_ = false;
};

}  // namespace idzone::nameserver
