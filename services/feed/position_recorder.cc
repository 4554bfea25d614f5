// SPDX-License-Identifier: MIT
#include "services/feed/position_recorder.h"

#include <chrono>
#include <utility>

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
    waiting_.positions[{edge_id, zone_id}] = position;
  }
  changed_.notify_one();
}

void PositionRecorder::Record(store::EdgeSecondaries secondaries) {
  {
    const std::scoped_lock lock(mutex_);
    Secondaries& waiting = waiting_.secondaries[secondaries.edge_id];
    waiting.notify_period = secondaries.notify_period;
    waiting.ids = std::move(secondaries.secondary_ids);
    for (store::SecondaryPosition& position : secondaries.positions)
      waiting.positions[{position.secondary_id, position.zone_id}] = std::move(position);
  }
  changed_.notify_one();
}

void PositionRecorder::Waiting::AddEarlier(Waiting earlier) {
  positions.merge(earlier.positions);
  for (auto& [edge_id, said] : earlier.secondaries) {
    const auto [later, is_new] = secondaries.try_emplace(edge_id, std::move(said));
    if (!is_new) later->second.positions.merge(said.positions);
  }
}

void PositionRecorder::Work(const std::stop_token& stop) {
  process::Backoff backoff(std::chrono::milliseconds(100), std::chrono::seconds(5));
  while (!stop.stop_requested()) {
    Waiting taken;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      taken = std::exchange(waiting_, {});
    }
    if (Write(taken)) {
      backoff.Reset();
      continue;
    }
    {
      const std::scoped_lock lock(mutex_);
      waiting_.AddEarlier(std::move(taken));
    }
    process::SleepFor(stop, backoff.Next());
  }
}

bool PositionRecorder::Write(const Waiting& waiting) {
  if (!Write(waiting.positions)) return false;
  for (const auto& [edge_id, said] : waiting.secondaries) {
    store::EdgeSecondaries secondaries{.edge_id = edge_id, .notify_period = said.notify_period, .secondary_ids = said.ids, .positions = {}};
    for (const auto& [place, position] : said.positions) secondaries.positions.push_back(position);
    if (auto written = store::WriteSecondaries(database_, secondaries); !written) {
      process::LogError(process::LogLevel::kWarning, "feed.secondaries_not_written", written.error(), {{"edge", edge_id}});
      return false;
    }
  }
  return true;
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
