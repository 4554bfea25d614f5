// SPDX-License-Identifier: MIT
#include "services/feed/position_recorder.h"

#include <chrono>

#include "services/process/lifecycle.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

/// Rows of one statement.
constexpr std::size_t kPositionsPerWrite = 1000;

}  // namespace

PositionRecorder::PositionRecorder(store::Database& database)
    : database_(database), thread_([this](const std::stop_token& stop) { Work(stop); }) {}

PositionRecorder::~PositionRecorder() {
  thread_.request_stop();
  thread_.join();
  if (!waiting_.empty()) Write(waiting_);
}

void PositionRecorder::Record(const std::string& edge_id, std::int32_t zone_id, const zone::ZonePosition& position) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_[{edge_id, zone_id}] = position;
  }
  changed_.notify_one();
}

void PositionRecorder::Work(const std::stop_token& stop) {
  process::Backoff backoff(std::chrono::milliseconds(100), std::chrono::seconds(5));
  while (!stop.stop_requested()) {
    Positions taken;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      taken.swap(waiting_);
    }
    if (Write(taken)) {
      backoff.Reset();
      continue;
    }
    {
      // What was said meanwhile is newer: insert() leaves it.
      const std::scoped_lock lock(mutex_);
      waiting_.insert(taken.begin(), taken.end());
    }
    process::SleepFor(stop, backoff.Next());
  }
}

bool PositionRecorder::Write(const Positions& positions) {
  std::vector<store::EdgePosition> rows;
  for (auto position = positions.begin(); position != positions.end();) {
    rows.push_back({position->first.first, position->first.second, position->second});
    ++position;
    if (rows.size() < kPositionsPerWrite && position != positions.end()) continue;
    if (auto written = store::WriteEdgePositions(database_, rows); !written) {
      process::LogError(process::LogLevel::kWarning, "feed.positions_not_written", written.error());
      return false;
    }
    rows.clear();
  }
  return true;
}

}  // namespace idzone::feed
