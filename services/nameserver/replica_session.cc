// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/replica_session.h"

#include <thread>
#include <utility>

#include "services/replica/damage_note.h"

namespace idzone::nameserver {

using Clock = std::chrono::steady_clock;

ReplicaSource::ReplicaSource(std::string directory, Report report, ZoneNews* news)
    : directory_(std::move(directory)), report_(std::move(report)), news_(news) {
  TryOpen();
}

void ReplicaSource::RunForever() {
  std::thread([this] {
    while (true) {
      std::this_thread::sleep_for(kTick);
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
  {
    const std::lock_guard lock(sessions_mutex_);
    for (Session* session : sessions_) session->LetGo(now, current);
  }
  if (current == nullptr) TryOpen();
}

Session::Session(ReplicaSource& source) : source_(source) {
  const std::lock_guard lock(source_.sessions_mutex_);
  source_.sessions_.insert(this);
}

Session::~Session() {
  const std::lock_guard lock(source_.sessions_mutex_);
  source_.sessions_.erase(this);
}

Result<Session::Use> Session::Renewed(std::unique_lock<std::mutex> lock, bool must_be_same) {
  last_use_ = Clock::now();
  auto current = source_.Current();
  const auto newer = [] { return Fail(Reason::kUnavailable, "replica", "the snapshot that the query was opened with", "a newer one"); };
  if (current != environment_) {
    if (must_be_same) return newer();
    snapshot_.reset();
    ++moment_;
    environment_ = current;
    if (current != nullptr) snapshot_ = std::make_unique<replica::Snapshot>(std::move(current));
  }
  if (snapshot_ == nullptr) return Use(std::move(lock), nullptr, moment_);
  auto changed = snapshot_->Renew();
  if (!changed) return tl::unexpected(changed.error());
  if (*changed) ++moment_;
  if (*changed && source_.news_ != nullptr) source_.news_->TellUpTo(*snapshot_, environment_);
  if (must_be_same && *changed) return newer();
  opened_ = true;
  return Use(std::move(lock), snapshot_.get(), moment_);
}

Result<Session::Use> Session::Open() {
  std::unique_lock lock(mutex_);
  pinned_ = false;
  return Renewed(std::move(lock), false);
}

Result<Session::Use> Session::Continue() {
  std::unique_lock lock(mutex_);
  if (snapshot_ == nullptr || !snapshot_->held()) return Renewed(std::move(lock), opened_);
  last_use_ = Clock::now();
  return Use(std::move(lock), snapshot_.get(), moment_);
}

void Session::SetPinned(bool pinned) {
  const std::lock_guard lock(mutex_);
  pinned_ = pinned;
}

void Session::LetGo(Clock::time_point now, const std::shared_ptr<replica::Environment>& current) {
  const std::lock_guard lock(mutex_);
  // Whoever reads from a replica that was replaced must stop: the last holder closes it, so that the new one can be opened.
  if (environment_ != current) {
    snapshot_.reset();
    environment_.reset();
  }
  if (snapshot_ != nullptr && snapshot_->held() && !pinned_ && now - last_use_ >= ReplicaSource::kIdle) snapshot_->Release();
}

}  // namespace idzone::nameserver
