// SPDX-License-Identifier: MIT
#include "cli/output/progress.h"

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

TEST(ProgressTest, ShowsBarShareRateAndRest) {
  const Progress progress{
      .done = 500, .failed = 2, .octets_done = 250, .octets_total = 1000, .elapsed = std::chrono::seconds(10), .note = ""};

  EXPECT_EQ(FormatProgress(progress, 8), "[##......] 25 %  500 done, 2 refused  50/s  30 s left");
}

TEST(ProgressTest, KnowsNoShareOfAPipe) {
  const Progress progress{
      .done = 10, .failed = 0, .octets_done = 250, .octets_total = 0, .elapsed = std::chrono::seconds(5), .note = "3 being published"};

  EXPECT_EQ(FormatProgress(progress, 8), "10 done  2/s  3 being published");
}

TEST(ProgressTest, ReadsMoreThanTheSizeWithoutOverflowing) {
  const Progress progress{
      .done = 1, .failed = 0, .octets_done = 2000, .octets_total = 1000, .elapsed = std::chrono::seconds(0), .note = ""};

  EXPECT_EQ(FormatProgress(progress, 4), "[####] 100 %  1 done");
}

TEST(ProgressTest, WritesDurationsForPeople) {
  EXPECT_EQ(FormatDuration(std::chrono::seconds(12)), "12 s");
  EXPECT_EQ(FormatDuration(std::chrono::seconds(185)), "3 min 05 s");
  EXPECT_EQ(FormatDuration(std::chrono::seconds(3720)), "1 h 02 min");
}

}  // namespace
}  // namespace idzone::cli
