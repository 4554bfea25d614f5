// SPDX-License-Identifier: MIT
#include "services/process/lifecycle.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>

#include <pthread.h>
#include <unistd.h>

#include "services/process/log.h"

namespace idzone::process {
namespace {

sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

constexpr int kExitAtSecondSignal = 130;

}  // namespace

SignalWatch::SignalWatch() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

SignalWatch::~SignalWatch() {
  ending_ = true;
  // Directed at the thread itself, so it cannot be taken for a signal from outside by anybody else.
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void SignalWatch::Watch() {
  const sigset_t signals = WatchedSignals();
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (ending_) return;
    if (source_.stop_requested()) {
      Log(LogLevel::kWarning, "process.ended_at_once", {{"signal", number}});
      _exit(kExitAtSecondSignal);
    }
    Log(LogLevel::kInfo, "process.draining", {{"signal", number}});
    source_.request_stop();
  }
}

UnixTime SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

bool SleepFor(const std::stop_token& stop, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [&stop] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

std::chrono::milliseconds Backoff::Next() {
  thread_local std::minstd_rand random(std::random_device{}());
  const std::chrono::milliseconds wait = next_;
  next_ = std::min(last_, next_ * 2);
  return wait - std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, wait.count() / 4)(random));
}

}  // namespace idzone::process
