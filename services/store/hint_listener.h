// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace idzone::store {

/// What PostgreSQL's NOTIFY tells the next process of the pipeline. Only hints: sent once for a batch or a version, and never
/// needed, because the truth is a short poll.
inline constexpr const char* kDirtyHint = "idzone_dirty";          // the signer's queue was empty and is no more
inline constexpr const char* kPublishedHint = "idzone_published";  // a zone has a new version

/// Waits for hints of one name. When the connection is lost, or the server is a standby, which knows no LISTEN, the wait lasts its
/// full time, as a poll would, and a later call connects again. Nothing is reported, because nothing depends on it.
/// Threads: one.
class HintListener {
 public:
  HintListener(std::string url, const char* hint);
  ~HintListener();
  HintListener(const HintListener&) = delete;
  HintListener& operator=(const HintListener&) = delete;

  /// Returns after a hint (one that came since the last call counts) or after `most`, whichever is first.
  void Wait(std::chrono::milliseconds most);

 private:
  struct Session;
  const std::string url_;
  const char* const hint_;
  std::unique_ptr<Session> session_;
  std::chrono::steady_clock::time_point next_attempt_;
};

}  // namespace idzone::store
