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

/// Writes where edges and their foreign secondaries stand, on a thread of its own: whatever they say while one transaction runs
/// goes into the next, so that the cost follows the disk and not the number of edges. Only the last word on a zone counts.
/// A position that cannot be written now is kept and tried again. Threads: any.
class PositionRecorder {
 public:
  explicit PositionRecorder(store::Database& database);
  /// Writes what is left, once.
  ~PositionRecorder();
  PositionRecorder(const PositionRecorder&) = delete;
  PositionRecorder& operator=(const PositionRecorder&) = delete;

  void Record(const std::string& edge_id, std::int32_t zone_id, const zone::ZonePosition& position);
  void Record(store::EdgeSecondaries secondaries);

 private:
  using Positions = std::map<std::pair<std::string, std::int32_t>, zone::ZonePosition>;
  struct Secondaries {
    std::chrono::seconds notify_period{0};
    std::vector<std::string> ids;
    std::map<std::pair<std::string, std::int32_t>, store::SecondaryPosition> positions;
  };
  /// What waits to be written.
  struct Waiting {
    Positions positions;                             // bounded by the registered edges times the zones
    std::map<std::string, Secondaries> secondaries;  // by edge; bounded likewise

    bool empty() const { return positions.empty() && secondaries.empty(); }
    /// Adds what was said earlier, and nothing later contradicts.
    void AddEarlier(Waiting earlier);
  };

  void Work(const std::stop_token& stop);
  bool Write(const Waiting& waiting);
  bool Write(const Positions& positions);

  store::Database& database_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Waiting waiting_;
  std::jthread thread_;
};

}  // namespace idzone::feed
