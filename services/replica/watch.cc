// SPDX-License-Identifier: MIT
#include "services/replica/watch.h"

#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "services/replica/damage_note.h"

namespace idzone::replica {
namespace {

using std::chrono::steady_clock;

constexpr int kRestAfterInspection = 10;

/// Returns the size of the file, or 0.
std::uint64_t SizeOf(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

FileWatch::FileWatch(std::shared_ptr<Environment> environment, std::string directory)
    : environment_(std::move(environment)), directory_(std::move(directory)), notes_(CountDamageNotes(directory_)) {}

Sight FileWatch::Look() {
  const std::uint64_t octets = SizeOf(directory_ + "/data.mdb");
  // LMDB never shortens its file.
  if (octets < octets_ || octets == 0 || environment_->HasShrunk() || !environment_->IsAt(directory_)) return Sight::kGone;
  octets_ = octets;
  const auto cleared = environment_->ClearStaleReaders();
  dead_readers_ = cleared ? *cleared : 0;
  const std::uint64_t notes = CountDamageNotes(directory_);
  const bool suspicion = dead_readers_ > 0 || notes > notes_ || !cleared;
  notes_ = notes;
  return suspicion ? Sight::kSuspicion : Sight::kNothing;
}

ReplicaWatch::ReplicaWatch(FileWatch files, WatchEvents events)
    : files_(std::move(files)), events_(std::move(events)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void ReplicaWatch::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  bool suspicious = false;
  steady_clock::time_point rested{};
  while (!ended.wait_for(lock, stop, kTick, [&] { return stop.stop_requested(); })) {
    switch (files_.Look()) {
      case Sight::kNothing: break;
      case Sight::kGone:
        events_.damaged(
            Error{Reason::kEncodingMalformed, "replica", "its file where it was, and as long as it was", "none, another or a shorter one"});
        return;
      case Sight::kSuspicion:
        suspicious = true;
        if (files_.dead_readers() > 0) events_.readers_died(files_.dead_readers());
        break;
    }
    const auto begun = steady_clock::now();
    if (!suspicious || begun < rested) continue;
    suspicious = false;
    if (const auto damage = events_.inspect()) {
      events_.damaged(*damage);
      return;
    }
    events_.suspicion_dropped();
    const auto now = steady_clock::now();
    rested = now + (now - begun) * kRestAfterInspection;
  }
}

}  // namespace idzone::replica
