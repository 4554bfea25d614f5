// SPDX-License-Identifier: MIT
#include "services/nameserver/housekeeping.h"

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

using replica::Figure;
using replica::FigureBoard;

class HousekeepingTest : public ::testing::Test {
 protected:
  ServedReplica replica_;
  std::shared_ptr<replica::Environment> current_ = replica_.writer().environment();
  std::vector<std::string> lines_;
  Served served_;
  Housekeeping housekeeping_{{.current = [this] { return current_; },
                              .read = [](replica::Figures& figures) { figures[replica::Index(Figure::kNoError)] = 5; },
                              .report = [this](const std::string& line) { lines_.push_back(line); }},
                             served_};
};

TEST_F(HousekeepingTest, WithoutAReplicaThereIsNothingToDo) {
  current_.reset();

  housekeeping_.Tick();

  EXPECT_TRUE(lines_.empty());
}

TEST_F(HousekeepingTest, FiguresAreWrittenAsSoonAsThereIsABoard) {
  for (int i = 0; i < 3; ++i) housekeeping_.Tick();
  ASSERT_EQ(lines_.size(), 1u) << "that there is none is told once";
  EXPECT_TRUE(lines_[0].starts_with("nameserver.figures_not_written"));
  const auto board = Must(FigureBoard::Create(replica_.directory()));
  served_.CountForgottenName();
  served_.CountForgottenAll();
  served_.CountForbidden(3);
  served_.NoteSignature(2000);

  housekeeping_.Tick();

  const auto seats = Must(board->Read());
  ASSERT_EQ(seats.size(), 1u);
  const auto figure = [&](Figure which) { return seats[0].figures[replica::Index(which)]; };
  EXPECT_EQ(figure(Figure::kNoError), 5u);
  EXPECT_EQ(figure(Figure::kNamesForgotten), 1u);
  EXPECT_EQ(figure(Figure::kAllForgotten), 1u);
  EXPECT_EQ(figure(Figure::kForbiddenRecords), 3u);
  EXPECT_EQ(figure(Figure::kSignatureExpiry), 2000u);
  EXPECT_GT(figure(Figure::kWritten), 1'700'000'000u);
}

TEST_F(HousekeepingTest, TheEarliestSignatureIsThatOfTheLastMinuteOrTwo) {
  EXPECT_EQ(served_.EarliestExpiry(), 0u);
  for (const std::uint32_t expires : {3000u, 2000u, 4000u}) served_.NoteSignature(expires);
  EXPECT_EQ(served_.EarliestExpiry(), 2000u);

  for (unsigned i = 0; i < Housekeeping::kTicksPerTurn; ++i) housekeeping_.Tick();
  served_.NoteSignature(5000);
  EXPECT_EQ(served_.EarliestExpiry(), 2000u);

  for (unsigned i = 0; i < Housekeeping::kTicksPerTurn; ++i) housekeeping_.Tick();
  EXPECT_EQ(served_.EarliestExpiry(), 5000u);
}

TEST_F(HousekeepingTest, AReplicaThatIsReplacedIsLetGo) {
  housekeeping_.Tick();
  const std::weak_ptr<replica::Environment> old = current_;
  current_.reset();
  replica_.CloseWriter();

  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace idzone::nameserver
