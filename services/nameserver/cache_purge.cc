// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/cache_purge.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace idzone::nameserver {

using replica::ChangedName;
using replica::ChangeScope;

void CachePurge::RunForever() {
  std::thread([this] {
    while (true) {
      std::this_thread::sleep_for(kTick);
      Tick();
    }
  }).detach();
}

void CachePurge::Tick() {
  ++tick_;
  Follow(current_());
  if (environment_ != nullptr && (!place_ || environment_->LastCommit() != commit_)) {
    Batch batch = Look();
    Forget(batch);
    Wait(0, std::move(batch));
  }
  ForgetAgain();
}

/// Whoever reads from a replica that was replaced must let go, so that the new one can be opened.
void CachePurge::Follow(std::shared_ptr<replica::Environment> current) {
  if (current == environment_) return;
  snapshot_.reset();
  environment_ = std::move(current);
  place_.reset();
  if (environment_ != nullptr) snapshot_.emplace(environment_);
}

CachePurge::Batch CachePurge::Look() {
  Batch batch{.all = true, .names = {}, .first_tick = tick_};
  if (!snapshot_->Renew()) return batch;  // and again with the next tick
  commit_ = snapshot_->commit();
  auto changes = snapshot_->ChangesAfter(place_.value_or(0));
  if (changes) {
    batch.all = !place_ || changes->gap;
    place_ = changes->last;
  }
  if (!batch.all) {
    // Versions that came together change the same names, the apex above all.
    std::sort(changes->names.begin(), changes->names.end());
    changes->names.erase(std::unique(changes->names.begin(), changes->names.end()), changes->names.end());
    batch.names = std::move(changes->names);
  }
  news_.TellUpTo(*snapshot_, environment_);
  snapshot_->Release();
  return batch;
}

void CachePurge::Forget(const Batch& batch) {
  if (batch.all) return caches_.ForgetAll();
  for (const ChangedName& changed : batch.names) {
    switch (changed.scope) {
      case ChangeScope::kName: caches_.ForgetName(changed.name); break;
      case ChangeScope::kBelow: caches_.ForgetBelow(changed.name); break;
      case ChangeScope::kZone: caches_.ForgetZone(changed.name); break;
    }
  }
}

void CachePurge::Wait(std::size_t repeat, Batch batch) {
  if (!batch.all && batch.names.empty()) return;
  waiting_names_ += batch.names.size();
  waiting_[repeat].push_back(std::move(batch));
  if (waiting_names_ <= kWaitingMax) return;
  for (auto& queue : waiting_) queue.clear();
  waiting_names_ = 0;
  waiting_[0].push_back({.all = true, .names = {}, .first_tick = tick_});
}

void CachePurge::ForgetAgain() {
  for (std::size_t repeat = 0; repeat < waiting_.size(); ++repeat) {
    while (!waiting_[repeat].empty() && waiting_[repeat].front().first_tick + kRepeats[repeat] <= tick_) {
      Batch batch = std::move(waiting_[repeat].front());
      waiting_[repeat].pop_front();
      waiting_names_ -= batch.names.size();
      Forget(batch);
      if (repeat + 1 < waiting_.size()) Wait(repeat + 1, std::move(batch));
    }
  }
}

}  // namespace idzone::nameserver
