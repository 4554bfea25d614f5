// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <thread>

namespace idzone::cli {

struct Progress {
  std::uint64_t done = 0;          // items with a final answer
  std::uint64_t failed = 0;        // of them
  std::uint64_t octets_done = 0;   // of the input
  std::uint64_t octets_total = 0;  // 0: unknown
  std::chrono::milliseconds elapsed{0};
  std::string note;  // what is being waited for, if anything
};

/// Returns one line: a bar, the share done, items, rate and remaining time. Without `bar_width`, no bar.
std::string FormatProgress(const Progress& progress, std::size_t bar_width);

/// Shows progress on the error stream while it lives: one line rewritten on a terminal, else a line every ten seconds.
class ProgressDisplay {
 public:
  /// `read` is called from another thread.
  ProgressDisplay(std::ostream& err, bool terminal, std::function<Progress()> read);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

 private:
  void Run(const std::stop_token& stop);

  std::ostream& err_;
  const bool terminal_;
  const std::function<Progress()> read_;
  std::jthread thread_;  // last: it uses the others
};

/// Whether the error stream is a terminal that understands "erase line".
bool ErrorIsTerminal();

/// Returns "1 h 02 min", "3 min 05 s" or "12 s".
std::string FormatDuration(std::chrono::seconds duration);

}  // namespace idzone::cli
