// SPDX-License-Identifier: MIT
#include "cli/import/version_follower.h"

#include <algorithm>

namespace idzone::cli {
namespace {

/// WaitForChange takes so many (proto).
constexpr std::size_t kChangesPerCall = 1000;
/// Between calls, so that each is about many changes; and after a call that failed.
constexpr std::chrono::milliseconds kCallPause{200};
constexpr std::chrono::milliseconds kFailurePause{1000};
/// What the network may add to the wait that was asked for.
constexpr std::chrono::seconds kCallGrace{10};

}  // namespace

VersionFollower::VersionFollower(v1::IdentityService::StubInterface& stub, ImportResultSink& sink, VersionFollowerOptions options)
    : stub_(stub), sink_(sink), options_(std::move(options)), patience_(options_.patience), progress_(Clock::now()), thread_([this] {
        Run();
      }) {}

VersionFollower::~VersionFollower() {
  Finish(std::chrono::milliseconds(0));
}

void VersionFollower::Add(ImportResult result) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ < options_.waiting_max; });
  // Waiting begins with the first result: silence before it says nothing about the signer.
  if (waiting_ == 0) progress_ = Clock::now();
  ++waiting_;
  if (result.version) {
    known_.push_back(std::move(result));
  } else {
    by_change_[result.change].push_back(std::move(result));
  }
  changed_.notify_all();
}

void VersionFollower::Hurry(std::chrono::milliseconds patience) {
  const std::lock_guard lock(mutex_);
  patience_ = std::min(patience_, patience);
}

void VersionFollower::Finish(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    patience_ = std::min(patience_, patience);
    progress_ = Clock::now();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t VersionFollower::unpublished() const {
  const std::lock_guard lock(mutex_);
  return unpublished_;
}

std::uint64_t VersionFollower::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

void VersionFollower::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return finishing_ || waiting_ > 0; });
    for (const ImportResult& result : known_) sink_.Write(result);
    waiting_ -= known_.size();
    if (!known_.empty()) progress_ = Clock::now();
    known_.clear();
    changed_.notify_all();
    if (by_change_.empty()) {
      if (finishing_) return;
      continue;
    }
    if (Clock::now() - progress_ > patience_) {
      GiveUp();
      continue;
    }
    const std::vector<std::uint64_t> changes = NextChanges();
    lock.unlock();
    const bool answered = Ask(changes);
    lock.lock();
    const bool finishing = finishing_;
    changed_.wait_for(lock, answered ? kCallPause : kFailurePause, [&] { return finishing_ != finishing; });
  }
}

std::vector<std::uint64_t> VersionFollower::NextChanges() const {
  std::vector<std::uint64_t> changes;
  for (const auto& [change, results] : by_change_) {
    changes.push_back(change);
    if (changes.size() == kChangesPerCall) break;
  }
  return changes;
}

bool VersionFollower::Ask(const std::vector<std::uint64_t>& changes) {
  v1::WaitForChangeRequest request;
  request.set_namespace_name(options_.namespace_name);
  request.mutable_changes()->Add(changes.begin(), changes.end());
  request.mutable_timeout()->set_seconds(options_.call_wait.count() / 1000);
  request.mutable_timeout()->set_nanos(static_cast<std::int32_t>(options_.call_wait.count() % 1000 * 1'000'000));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + options_.call_wait + kCallGrace);
  v1::WaitForChangeResponse response;
  // A failure of any kind is met with patience: what was enrolled stays enrolled, only its version is not known yet.
  if (!stub_.WaitForChange(&context, request, &response).ok()) return false;
  const std::lock_guard lock(mutex_);
  for (const auto& change : response.changes()) {
    if (change.has_version()) WriteChange(change.change(), {.epoch = change.version().epoch(), .serial = change.version().serial()});
  }
  changed_.notify_all();
  return true;
}

void VersionFollower::WriteChange(std::uint64_t change, PublishedVersion version) {
  const auto found = by_change_.find(change);
  if (found == by_change_.end()) return;
  for (ImportResult& result : found->second) {
    result.version = version;
    sink_.Write(result);
  }
  waiting_ -= found->second.size();
  by_change_.erase(found);
  progress_ = Clock::now();
}

void VersionFollower::GiveUp() {
  for (const auto& [change, results] : by_change_) {
    for (const ImportResult& result : results) sink_.Write(result);
    unpublished_ += results.size();
    waiting_ -= results.size();
  }
  by_change_.clear();
  progress_ = Clock::now();
  changed_.notify_all();
}

}  // namespace idzone::cli
