// SPDX-License-Identifier: MIT
#include "cli/import/id_set.h"

#include <string>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

TEST(IdSetTest, KnowsWhatItHasSeenThroughGrowth) {
  IdSet ids;
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(ids.Insert("device-" + std::to_string(i)));

  for (int i = 0; i < 20'000; ++i) ASSERT_FALSE(ids.Insert("device-" + std::to_string(i)));
  EXPECT_TRUE(ids.Insert("another"));
}

}  // namespace
}  // namespace idzone::cli
