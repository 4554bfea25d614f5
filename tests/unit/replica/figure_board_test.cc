// SPDX-License-Identifier: MIT
#include "services/replica/figure_board.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

Figures Written(std::uint64_t answers) {
  Figures figures = {};
  figures[Index(Figure::kNoError)] = answers;
  figures[Index(Figure::kWritten)] = 1;
  return figures;
}

TEST(FigureBoardTest, WhatIsWrittenIsReadAndASeatWithoutFiguresIsNot) {
  const ScratchDirectory directory;
  const auto board = FigureBoard::Create(directory.path()).value();
  const auto writer = FigureBoard::TakeSeat(directory.path()).value();
  EXPECT_TRUE(board->Read()->empty());

  ASSERT_TRUE(writer->Write(Written(7)));

  ASSERT_EQ(board->Read()->size(), 1u);
  EXPECT_EQ(board->Read()->front().figures, Written(7));
}

TEST(FigureBoardTest, SeatsAreLimitedAndFreeAgainWhenTheirHolderIsGone) {
  const ScratchDirectory directory;
  const auto board = FigureBoard::Create(directory.path()).value();
  std::vector<std::unique_ptr<FigureBoard>> writers;
  for (unsigned i = 0; i < FigureBoard::kSeats; ++i) {
    writers.push_back(FigureBoard::TakeSeat(directory.path()).value());
    ASSERT_TRUE(writers.back()->Write(Written(i + 1)));
  }

  const auto one_more = FigureBoard::TakeSeat(directory.path());
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().reason, Reason::kLimitExceeded);
  writers.erase(writers.begin() + 3);
  EXPECT_EQ(board->Read()->size(), FigureBoard::kSeats - 1u);
  EXPECT_TRUE(FigureBoard::TakeSeat(directory.path()));
}

TEST(FigureBoardTest, AKilledNameServerIsNotRead) {
  const ScratchDirectory directory;
  const auto board = FigureBoard::Create(directory.path()).value();
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto writer = FigureBoard::TakeSeat(directory.path());
    const char done = writer && (*writer)->Write(Written(7)) ? 'y' : 'n';
    static_cast<void>(!write(pipe_ends[1], &done, 1));
    pause();
    _exit(0);
  }
  char done = 0;
  ASSERT_EQ(read(pipe_ends[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  EXPECT_EQ(board->Read()->size(), 1u);

  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  EXPECT_TRUE(board->Read()->empty());
}

TEST(FigureBoardTest, TheFileIsKeptAndOneOfAnotherVersionIsReplaced) {
  const ScratchDirectory directory;
  EXPECT_EQ(FigureBoard::TakeSeat(directory.path()).error().reason, Reason::kNotFound);
  auto board = FigureBoard::Create(directory.path()).value();
  const auto writer = FigureBoard::TakeSeat(directory.path()).value();
  ASSERT_TRUE(writer->Write(Written(7)));

  board = FigureBoard::Create(directory.path()).value();
  EXPECT_EQ(board->Read()->size(), 1u) << "a restart of idzone-replicad loses nothing";

  std::ofstream(directory.path() + "/figures") << "IDZFIG another";
  EXPECT_EQ(FigureBoard::TakeSeat(directory.path()).error().reason, Reason::kSchemaMismatch);
  board = FigureBoard::Create(directory.path()).value();
  EXPECT_TRUE(FigureBoard::TakeSeat(directory.path()));
}

}  // namespace
}  // namespace idzone::replica
