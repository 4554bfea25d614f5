// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <stop_token>

#include "services/core/base/clock.h"
#include "services/replica/environment.h"
#include "services/replica/figure_board.h"

namespace prometheus {
class Registry;
}

namespace idzone::replica {

/// What operators watch of a DNS host as a whole: what its name servers wrote on the board, how much of the replica lies in
/// memory, and where its zones stand. Names begin with idzone_edge_ and idzone_replica_. README "Metrics" lists them.
/// Threads: one.
class EdgeMetrics {
 public:
  /// Looking costs some milliseconds, so it is not done at each scrape.
  static constexpr std::chrono::seconds kEvery{5};
  /// Zones with time series of their own, by ascending number: monitoring suffers from more. The rest is only counted.
  static constexpr std::size_t kZonesMax = 1000;

  EdgeMetrics(prometheus::Registry& registry, std::shared_ptr<Environment> environment, std::unique_ptr<FigureBoard> board);
  ~EdgeMetrics();

  /// Looks again and again until it is stopped.
  void Run(const std::stop_token& stop, const Clock& clock);
  /// Looks once. What cannot be read keeps its last value.
  void Refresh(UnixTime now);

 private:
  struct Families;
  void RefreshBoard();
  void RefreshFile();
  void RefreshZones(UnixTime now);

  const std::unique_ptr<Families> families_;
  const std::shared_ptr<Environment> environment_;
  const std::unique_ptr<FigureBoard> board_;
  std::map<unsigned, Figures> last_;  // by seat: counters grow by what was added since
  std::map<Octets, std::uint32_t> serials_;
};

}  // namespace idzone::replica
