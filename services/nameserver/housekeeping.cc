// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/housekeeping.h"

#include <thread>

#include "services/replica/residency.h"

namespace idzone::nameserver {

using replica::Figure;
using replica::Index;

void Housekeeping::RunForever() {
  std::thread([this] {
    while (true) {
      Tick();
      std::this_thread::sleep_for(kTick);
    }
  }).detach();
}

void Housekeeping::Tick() {
  const bool turn = ++ticks_ % kTicksPerTurn == 0;
  if (turn) served_.Turn();
  const auto current = parts_.current();
  if (current == nullptr) return;
  KeepInMemory(current, turn);
  WriteFigures(*current);
}

void Housekeeping::KeepInMemory(const std::shared_ptr<replica::Environment>& current, bool turn) {
  const bool opened = warm_.lock() != current;
  if (!opened && !turn) return;
  // At first everything, since the kernel does not tell what is missing to one who may only read.
  const auto brought = replica::BringIntoMemory(*current, opened);
  warm_ = current;
  if (!brought) ReportOnce("nameserver.replica_not_in_memory " + brought.error().Detail());
}

void Housekeeping::WriteFigures(const replica::Environment& current) {
  if (board_ == nullptr) {
    auto board = replica::FigureBoard::TakeSeat(current.directory());
    if (!board) return ReportOnce("nameserver.figures_not_written " + board.error().Detail());
    board_ = *std::move(board);
  }
  replica::Figures figures = {};
  parts_.read(figures);
  figures[Index(Figure::kNamesForgotten)] = served_.names_forgotten();
  figures[Index(Figure::kAllForgotten)] = served_.all_forgotten();
  figures[Index(Figure::kForbiddenRecords)] = served_.forbidden();
  figures[Index(Figure::kSignatureExpiry)] = served_.EarliestExpiry();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  figures[Index(Figure::kWritten)] = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (board_->Write(figures)) return;
  board_.reset();  // and a seat is taken anew
}

void Housekeeping::ReportOnce(const std::string& line) {
  if (line != last_line_) parts_.report(line);
  last_line_ = line;
}

}  // namespace idzone::nameserver
