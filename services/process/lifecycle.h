// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "services/core/base/clock.h"

/// How a daemon lives and ends: SIGTERM or SIGINT asks it to drain through a stop token; a second one ends it at once
/// with exit code 130. SIGPIPE is ignored, so that a peer who hangs up is an error value.
namespace idzone::process {

/// Must be made in main before any other thread, because threads inherit the blocked signals.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// Asks for the drain from inside the process, for example after a failure that cannot heal.
  void RequestStop() { source_.request_stop(); }

 private:
  void Watch();

  std::stop_source source_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

/// The wall clock.
class SystemClock : public Clock {
 public:
  UnixTime Now() const override;
};

/// Sleeps that long, or until a stop is requested. Returns false when it was.
bool SleepFor(const std::stop_token& stop, std::chrono::milliseconds duration);

/// Waits between attempts: doubling from `first` to `last`, each shortened by up to a quarter at random so that many
/// clients of one server do not come back in step.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last) : first_(first), last_(last), next_(first) {}

  /// Returns how long to wait now.
  std::chrono::milliseconds Next();
  /// After a success.
  void Reset() { next_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
};

}  // namespace idzone::process
