// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace idzone::store {

/// Waits for `idzone_dirty`, the hint that there is something in the queue. Only a hint: when the connection is lost the
/// wait lasts its full time, as a poll would, and the next call connects again. Nothing is reported, because nothing
/// depends on it.
class DirtyListener {
 public:
  explicit DirtyListener(std::string url);
  ~DirtyListener();
  DirtyListener(const DirtyListener&) = delete;
  DirtyListener& operator=(const DirtyListener&) = delete;

  /// Returns after a notification or after `most`, whichever is first.
  void Wait(std::chrono::milliseconds most);

 private:
  struct Session;
  std::string url_;
  std::unique_ptr<Session> session_;
  std::chrono::steady_clock::time_point next_attempt_;
};

}  // namespace idzone::store
