// SPDX-License-Identifier: MIT
#include "services/core/base/clock.h"

#include <gtest/gtest.h>

namespace idzone {
namespace {

using namespace std::chrono_literals;

// Expected values: date -u -d @N +%FT%TZ (GNU coreutils 9.1).
TEST(FormatTimeTest, SaysWhatDateSays) {
  EXPECT_EQ(FormatTime(UnixTime(0s)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(UnixTime(1'709'210'096s)), "2024-02-29T12:34:56Z");
  EXPECT_EQ(FormatTime(UnixTime(4'294'967'295s)), "2106-02-07T06:28:15Z");
  EXPECT_EQ(FormatTime(UnixTime(-1s)), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace idzone
