// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "services/nameserver/served.h"
#include "services/replica/environment.h"
#include "services/replica/figure_board.h"

/// What a name server does beside answering, once a second: it brings the replica into memory when it is opened, and each
/// minute what the kernel has dropped of it; and it writes what it served on the board that idzone-replicad exports.
/// Neither is needed to answer: what fails is told once, and tried again. Threads: one.
namespace idzone::nameserver {

class Housekeeping {
 public:
  static constexpr std::chrono::seconds kTick{1};
  static constexpr unsigned kTicksPerTurn = 60;

  struct Parts {
    /// The replica as it is now; null: there is none.
    std::function<std::shared_ptr<replica::Environment>()> current;
    /// Fills in what PowerDNS counts.
    std::function<void(replica::Figures&)> read;
    std::function<void(const std::string& line)> report;
  };

  /// `served` must outlive it.
  Housekeeping(Parts parts, Served& served) : parts_(std::move(parts)), served_(served) {}

  /// Starts the thread, which lives as long as the process. Requires: this does so too.
  void RunForever();
  /// What the thread does each kTick.
  void Tick();

 private:
  void KeepInMemory(const std::shared_ptr<replica::Environment>& current, bool turn);
  void WriteFigures(const replica::Environment& current);
  void ReportOnce(const std::string& line);

  const Parts parts_;
  Served& served_;
  unsigned ticks_ = 0;
  std::weak_ptr<replica::Environment> warm_;
  std::unique_ptr<replica::FigureBoard> board_;
  std::string last_line_;
};

}  // namespace idzone::nameserver
