// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "services/feed/feed_session.h"
#include "services/feed/follower_ledger.h"
#include "services/feed/zone_board.h"

/// The inside of a FeedSession, for its three files: feed_session.cc (the dialogue), feed_session_hears.cc (what the follower
/// says), feed_session_sends.cc (what it is told).
namespace idzone::feed {

/// What both threads of a session, and the board's, use. It outlives the session while the board may still call.
struct FeedSession::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  FollowerLedger ledger;
  int positions = 0;     // that Hellos named
  bool greeted = false;  // the last Hello is there
  bool takes_bundles = false;
  bool serves = true;  // what it holds, by its last word
  bool woken = false;
  bool over = false;
  std::optional<Error> error;
  TimePoint heard_at = std::chrono::steady_clock::now();
  ZoneBoard::ListenerToken token;

  void Wake() {
    {
      const std::scoped_lock lock(mutex);
      woken = true;
    }
    changed.notify_all();
  }
};

}  // namespace idzone::feed
