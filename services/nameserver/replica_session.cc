// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/replica_session.h"

#include <ctime>
#include <thread>
#include <utility>

#include "services/replica/damage_note.h"

namespace idzone::nameserver {

using Clock = std::chrono::steady_clock;

namespace {

/// The clock's time, up to some milliseconds ago: who is idle does not matter more exactly, and each question asks.
Clock::time_point Recently() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return Clock::time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

ReplicaSource::ReplicaSource(std::string directory, Report report, ZoneNews* news)
    : directory_(std::move(directory)), report_(std::move(report)), news_(news) {
  TryOpen();
}

void ReplicaSource::RunForever() {
  static_assert(kMove * kMovesPerTick <= kTick);
  std::thread([this] {
    while (true) {
      for (unsigned move = 0; move < kMovesPerTick; ++move) {
        std::this_thread::sleep_for(kMove);
        MoveIdleOn(Clock::now());
      }
      Tick(Clock::now());
    }
  }).detach();
}

std::shared_ptr<replica::Environment> ReplicaSource::Current() const {
  const std::lock_guard lock(environment_mutex_);
  return environment_;
}

void ReplicaSource::ReportDamages(const std::string& damages) {
  const std::lock_guard lock(damages_mutex_);
  if (damages != last_damages_ && !damages.empty()) report_("nameserver.zone_damaged" + damages);
  last_damages_ = damages;
}

void ReplicaSource::NoteDamage() {
  constexpr Clock::duration kNoteEvery = std::chrono::seconds(1);
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep noted = noted_at_;
  if (now - noted < kNoteEvery.count() || !noted_at_.compare_exchange_strong(noted, now)) return;
  replica::NoteDamage(directory_);
}

void ReplicaSource::Failed(const Error& error) {
  const std::string failure = std::string(ReasonName(error.reason)) + ": " + error.Detail();
  if (failure != last_failure_) report_("nameserver.replica_not_there " + failure);
  last_failure_ = failure;
}

void ReplicaSource::TryOpen() {
  auto opened = replica::Environment::OpenForReading(directory_);
  if (!opened) {
    Failed(opened.error());
    if (opened.error().reason == Reason::kEncodingMalformed) NoteDamage();
    return;
  }
  last_failure_.clear();
  report_("nameserver.replica_opened " + directory_);
  const std::lock_guard lock(environment_mutex_);
  environment_ = *std::move(opened);
}

/// The old one goes on until the new one can be opened; with the same lock file, they cannot both be open.
void ReplicaSource::Replace() {
  auto opened = replica::Environment::OpenForReading(directory_);
  if (!opened && opened.error().reason != Reason::kAlreadyExists) return Failed(opened.error());
  last_failure_.clear();
  report_("nameserver.replica_replaced " + directory_);
  const std::lock_guard lock(environment_mutex_);
  environment_ = opened ? *std::move(opened) : nullptr;
}

void ReplicaSource::Tick(Clock::time_point now) {
  auto current = Current();
  if (current != nullptr && current->WasReplaced()) {
    current.reset();
    Replace();
    current = Current();
  }
  MoveIdleOn(now);
  if (current == nullptr) TryOpen();
}

void ReplicaSource::MoveIdleOn(Clock::time_point now) {
  const auto current = Current();
  const std::lock_guard lock(sessions_mutex_);
  for (Session* session : sessions_) session->MoveOn(now, current);
}

Session::Session(ReplicaSource& source) : source_(source) {
  const std::lock_guard lock(source_.sessions_mutex_);
  source_.sessions_.insert(this);
}

Session::~Session() {
  const std::lock_guard lock(source_.sessions_mutex_);
  source_.sessions_.erase(this);
}

void Session::LetGo() {
  next_.reset();
  snapshot_.reset();
  environment_.reset();
  ++moment_;
}

void Session::Adopt(std::shared_ptr<replica::Environment> current) {
  LetGo();
  environment_ = std::move(current);
  if (environment_ == nullptr) return;
  snapshot_ = std::make_unique<replica::Snapshot>(environment_);
  next_ = std::make_unique<replica::Snapshot>(environment_);
}

Result<void> Session::TakeNext(Clock::time_point now) {
  if (auto taken = next_->Renew(); !taken) return tl::unexpected(taken.error());
  next_from_ = now;
  if (source_.news_ == nullptr) return {};
  const ZoneNews::Latest news = source_.news_->TellUpTo(*next_, environment_, now);
  if (snapshot_->held() && news.commit > snapshot_->commit()) next_from_ = news.told_at + ReplicaSource::kSettle;
  return {};
}

Result<void> Session::Advance(Clock::time_point now, Settled settled) {
  // Twice: what waited until it could be answered from may be old by now.
  for (int turn = 0; turn < 2; ++turn) {
    if (!next_->held()) {
      if (snapshot_->held() && environment_->LastCommit() == snapshot_->commit()) return {};
      if (auto taken = TakeNext(now); !taken) return taken;
    }
    if (settled == Settled::kAwaited && now < next_from_) return {};
    std::swap(snapshot_, next_);
    next_->Release();
    ++moment_;
  }
  return {};
}

Result<Session::Use> Session::OpenAt(Clock::time_point now, Settled settled) {
  std::unique_lock lock(mutex_);
  pinned_ = false;
  last_use_ = now;
  if (auto current = source_.Current(); current != environment_) Adopt(std::move(current));
  if (spoilt_ && environment_ != nullptr) {
    spoilt_ = false;
    next_->Release();
    snapshot_->Release();
  }
  if (environment_ != nullptr)
    if (auto advanced = Advance(now, settled); !advanced) return tl::unexpected(advanced.error());
  opened_moment_ = moment_;
  return Used(std::move(lock));
}

Result<Session::Use> Session::Continue() {
  {
    std::unique_lock lock(mutex_);
    if (moment_ != opened_moment_) {
      opened_moment_ = moment_;
      return Fail(Reason::kUnavailable, "replica", "the snapshot that the query was opened with", "a newer one");
    }
    if (snapshot_ != nullptr && snapshot_->held()) {
      last_use_ = Recently();
      return Used(std::move(lock));
    }
  }
  return Open();  // nothing was opened yet, there was no replica then, or no snapshot could be had
}

void Session::SetPinned(bool pinned) {
  const std::lock_guard lock(mutex_);
  pinned_ = pinned;
}

void Session::MoveOn(Clock::time_point now, const std::shared_ptr<replica::Environment>& current) {
  const std::lock_guard lock(mutex_);
  // Whoever reads from a replica that was replaced must stop: the last holder closes it, so that the new one can be opened.
  if (environment_ != current) {
    if (environment_ != nullptr) LetGo();
    return;
  }
  if (environment_ == nullptr || pinned_ || now - last_use_ < ReplicaSource::kIdle) return;
  // What cannot be read is told to the next query.
  static_cast<void>(Advance(now, Settled::kAwaited));
}

}  // namespace idzone::nameserver
