// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "services/core/base/error.h"

namespace idzone::provisioning {

/// Group commit: callers hand in items one at a time, workers take whatever waits, up to a batch, and commit it in one
/// transaction. While a commit is under way the next batch gathers by itself, so batches are small when little happens
/// and large under load, and nobody waits for a timer.
///
/// An item's `done` runs on a worker's thread after its batch has ended; it must be short and must not throw.
/// Threads: any.
template <typename Item, typename Outcome>
class GroupCommitter {
 public:
  using Done = std::function<void(Result<Outcome>)>;
  /// Returns one outcome for each item, in order; what it returns as a success is durable.
  using Commit = std::function<std::vector<Result<Outcome>>(const std::vector<Item>&)>;

  struct Limits {
    std::size_t workers = 1;
    std::size_t batch_max = 256;
    std::size_t queue_max = 8192;
  };

  GroupCommitter(Limits limits, Commit commit) : limits_(limits), commit_(std::move(commit)) {
    for (std::size_t i = 0; i < limits_.workers; ++i) threads_.emplace_back([this] { Work(); });
  }

  /// Commits what is queued, then ends.
  ~GroupCommitter() {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    filled_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  GroupCommitter(const GroupCommitter&) = delete;
  GroupCommitter& operator=(const GroupCommitter&) = delete;

  /// Queues an item; returns false, and leaves both arguments alone, when the queue is full.
  bool Submit(Item& item, Done& done) {
    {
      const std::scoped_lock lock(mutex_);
      if (queue_.size() >= limits_.queue_max) return false;
      queue_.emplace_back(std::move(item), std::move(done));
    }
    filled_.notify_one();
    return true;
  }

  /// Runs `resume` once, when the queue has room: now, or on a worker's thread after it has taken a batch.
  void WhenRoom(std::function<void()> resume) {
    {
      const std::scoped_lock lock(mutex_);
      if (queue_.size() >= limits_.queue_max) {
        waiting_.push_back(std::move(resume));
        return;
      }
    }
    resume();
  }

 private:
  using Entry = std::pair<Item, Done>;

  void Work() {
    std::vector<Item> items;
    std::vector<Done> dones;
    std::vector<std::function<void()>> resumes;
    while (Take(items, dones, resumes)) {
      for (auto& resume : resumes) resume();
      std::vector<Result<Outcome>> outcomes = commit_(items);
      IDZONE_INVARIANT(outcomes.size() == items.size(), "a commit has one outcome for each item");
      for (std::size_t i = 0; i < dones.size(); ++i) dones[i](std::move(outcomes[i]));
      items.clear();
      dones.clear();
      resumes.clear();
    }
  }

  /// Waits for items and takes a batch; false when all is done.
  bool Take(std::vector<Item>& items, std::vector<Done>& dones, std::vector<std::function<void()>>& resumes) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return false;
    while (!queue_.empty() && items.size() < limits_.batch_max) {
      items.push_back(std::move(queue_.front().first));
      dones.push_back(std::move(queue_.front().second));
      queue_.pop_front();
    }
    resumes.swap(waiting_);
    return true;
  }

  const Limits limits_;
  const Commit commit_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Entry> queue_;
  std::vector<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace idzone::provisioning
