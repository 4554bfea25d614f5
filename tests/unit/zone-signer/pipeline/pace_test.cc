// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/pace.h"

#include <gtest/gtest.h>

namespace idzone::signer::pipeline {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// Full transactions, each name of which takes so long.
void Live(Pace& pace, microseconds each, int transactions) {
  for (int i = 0; i < transactions; ++i) pace.Took(pace.size(), pace.size(), each * pace.size());
}

TEST(PaceTest, ComesToWhatFitsIntoTheTarget) {
  Pace pace(1000, milliseconds(60));

  Live(pace, microseconds(200), 40);
  EXPECT_NEAR(static_cast<double>(pace.size()), 300, 5);

  Live(pace, microseconds(100), 40);
  EXPECT_NEAR(static_cast<double>(pace.size()), 600, 5);
}

TEST(PaceTest, AnotherTargetIsMetAtOnceAndLearntFromLikeTheFirst) {
  Pace pace(1000, milliseconds(60));
  Live(pace, microseconds(100), 40);

  pace.Aim(milliseconds(20));
  EXPECT_NEAR(static_cast<double>(pace.size()), 200, 5);
  Live(pace, microseconds(200), 40);
  EXPECT_NEAR(static_cast<double>(pace.size()), 100, 5);
  pace.Aim(milliseconds(60));
  EXPECT_NEAR(static_cast<double>(pace.size()), 300, 15);
}

TEST(PaceTest, StaysWithinItsBounds) {
  Pace pace(1000, milliseconds(60));

  Live(pace, microseconds(1), 40);
  EXPECT_GT(pace.size(), 990);
  EXPECT_LE(pace.size(), 1000);

  Live(pace, milliseconds(100), 40);
  EXPECT_EQ(pace.size(), Pace::kSmallest);
}

TEST(PaceTest, RespectsALargestBelowTheSmallest) {
  Pace pace(5, milliseconds(60));
  EXPECT_EQ(pace.size(), 5);

  Live(pace, milliseconds(100), 10);
  EXPECT_EQ(pace.size(), 5);
}

TEST(PaceTest, OneSlowTransactionChangesLittle) {
  Pace pace(1000, milliseconds(60));
  Live(pace, microseconds(100), 40);
  const std::int64_t before = pace.size();

  pace.Took(before, before, std::chrono::seconds(5));

  EXPECT_GE(pace.size(), before * 7 / 10);
}

TEST(PaceTest, WhatCameToNoEndIsHalvedAtLeast) {
  Pace pace(1000, milliseconds(60));
  Live(pace, microseconds(60), 40);
  const std::int64_t before = pace.size();

  pace.Failed(before, milliseconds(30));
  EXPECT_EQ(pace.size(), before / 2);
  pace.Failed(pace.size(), milliseconds(240));
  EXPECT_EQ(pace.size(), before / 8) << "what would have fitted";
  pace.Failed(pace.size(), std::chrono::seconds(60));
  EXPECT_EQ(pace.size(), Pace::kSmallest);
}

TEST(PaceTest, LittleWorkSaysNothing) {
  Pace pace(1000, milliseconds(60));
  const std::int64_t before = pace.size();

  pace.Took(pace.size(), 1, milliseconds(500));
  pace.Took(pace.size(), 0, milliseconds(500));

  EXPECT_EQ(pace.size(), before);
}

}  // namespace
}  // namespace idzone::signer::pipeline
