// SPDX-License-Identifier: MIT
#include "services/core/dns/serial.h"

#include <gtest/gtest.h>

namespace idzone::dns {
namespace {

// RFC 1982 §5.2's examples, widened to 32 bits.
TEST(SerialTest, ComparesAsRfc1982Says) {
  EXPECT_TRUE(SerialLess(1, 2));
  EXPECT_FALSE(SerialLess(2, 1));
  EXPECT_FALSE(SerialLess(2, 2));
  EXPECT_TRUE(SerialLess(0xffffffffu, 1));
  EXPECT_FALSE(SerialLess(0, 0x80000000u));
  EXPECT_FALSE(SerialLess(0x80000000u, 0));
}

TEST(SerialTest, NextSkipsZeroAndIsAlwaysLater) {
  EXPECT_EQ(NextSerial(0xffffffffu), 1u);
  EXPECT_TRUE(SerialLess(0xffffffffu, NextSerial(0xffffffffu)));
}

}  // namespace
}  // namespace idzone::dns
