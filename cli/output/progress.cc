// SPDX-License-Identifier: MIT
#include "cli/output/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string_view>

#include <unistd.h>

#include "services/process/lifecycle.h"

namespace idzone::cli {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::chrono::milliseconds kTerminalPause{200};
constexpr std::chrono::milliseconds kPlainPause{10'000};

std::string TwoDigits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

}  // namespace

std::string FormatDuration(std::chrono::seconds duration) {
  const std::int64_t seconds = std::max<std::int64_t>(0, duration.count());
  if (seconds >= 3600) return std::to_string(seconds / 3600) + " h " + TwoDigits(seconds % 3600 / 60) + " min";
  if (seconds >= 60) return std::to_string(seconds / 60) + " min " + TwoDigits(seconds % 60) + " s";
  return std::to_string(seconds) + " s";
}

std::string FormatProgress(const Progress& progress, std::size_t bar_width) {
  const double seconds = static_cast<double>(progress.elapsed.count()) / 1000;
  std::string line;
  double share = 0;
  if (progress.octets_total > 0) {
    share = std::min(1.0, static_cast<double>(progress.octets_done) / static_cast<double>(progress.octets_total));
    if (bar_width > 0) {
      const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_width));
      line += '[' + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] ";
    }
    line += std::to_string(static_cast<int>(share * 100)) + " %  ";
  }
  line += std::to_string(progress.done) + " done";
  if (progress.failed > 0) line += ", " + std::to_string(progress.failed) + " refused";
  if (seconds >= 0.5) line += "  " + std::to_string(static_cast<std::uint64_t>(static_cast<double>(progress.done) / seconds)) + "/s";
  // The first moments say nothing about the rest.
  if (share > 0.005 && share < 1 && seconds >= 1)
    line += "  " + FormatDuration(std::chrono::seconds(static_cast<std::int64_t>(seconds * (1 - share) / share))) + " left";
  if (!progress.note.empty()) line += "  " + progress.note;
  return line;
}

ProgressDisplay::ProgressDisplay(std::ostream& err, bool terminal, std::function<Progress()> read)
    : err_(err), terminal_(terminal), read_(std::move(read)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ProgressDisplay::~ProgressDisplay() {
  thread_.request_stop();
  thread_.join();
  if (terminal_) err_ << "\r\x1b[K" << std::flush;
}

void ProgressDisplay::Run(const std::stop_token& stop) {
  while (process::SleepFor(stop, terminal_ ? kTerminalPause : kPlainPause)) {
    if (terminal_) {
      err_ << "\r\x1b[K" << FormatProgress(read_(), kBarWidth) << std::flush;
    } else {
      err_ << FormatProgress(read_(), 0) << std::endl;
    }
  }
}

bool ErrorIsTerminal() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace idzone::cli
