// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "services/store/feed_store.h"

namespace idzone::feed {

/// Writes where edges stand, on a thread of its own: whatever they say while one transaction runs goes into the next,
/// so that the cost follows the disk and not the number of edges. Only the last word of an edge on a zone counts.
/// A position that cannot be written now is kept and tried again. Threads: any.
class PositionRecorder {
 public:
  explicit PositionRecorder(store::Database& database);
  /// Writes what is left, once.
  ~PositionRecorder();
  PositionRecorder(const PositionRecorder&) = delete;
  PositionRecorder& operator=(const PositionRecorder&) = delete;

  void Record(const std::string& edge_id, std::int32_t zone_id, const zone::ZonePosition& position);

 private:
  using Positions = std::map<std::pair<std::string, std::int32_t>, zone::ZonePosition>;
  void Work(const std::stop_token& stop);
  bool Write(const Positions& positions);

  store::Database& database_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Positions waiting_;  // bounded by the registered edges times the zones
  std::jthread thread_;
};

}  // namespace idzone::feed
