// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/clock_check.h"

#include <gtest/gtest.h>

namespace idzone::signer::pipeline {
namespace {

using namespace std::chrono_literals;

const UnixTime kNow{1'795'000'000s};

TEST(ClockCheckTest, ADifferenceFromPostgresqlIsDoubtedInBothDirections) {
  EXPECT_TRUE(CompareWithDatabase(kNow, kNow + 60s, 60s));
  EXPECT_TRUE(CompareWithDatabase(kNow, kNow - 60s, 60s));
  for (const auto skew : {61s, -61s, 86'400s, -31'536'000s}) {
    const auto doubted = CompareWithDatabase(kNow + skew, kNow, 60s);
    ASSERT_FALSE(doubted);
    EXPECT_EQ(doubted.error().reason, Reason::kClockDoubt);
    EXPECT_NE(doubted.error().Detail().find(FormatTime(kNow)), std::string::npos);
    EXPECT_NE(doubted.error().Detail().find(FormatTime(kNow + skew)), std::string::npos);
  }
}

TEST(ClockCheckTest, NothingIsComparedWhenNoSkewIsSet) {
  EXPECT_TRUE(CompareWithDatabase(kNow, kNow + 87'600h, 0s));
}

TEST(ClockCheckTest, APauseIsBelievedForAsLongAsThePolicyToleratesIt) {
  for (const char* name : {"fast", "standard", "relaxed"}) {
    const auto policy = zone::FindZonePolicy(name).value();
    const auto most = PauseMax(policy);

    EXPECT_GE(most, policy.identity.resign + (policy.identity.life - policy.identity.resign * 3 / 2)) << name;
    EXPECT_LT(most, policy.identity.life) << name;
    EXPECT_TRUE(CompareWithLastSignature("z.", policy, kNow, kNow + most)) << name;
    EXPECT_EQ(CompareWithLastSignature("z.", policy, kNow, kNow + most + 1s).error().reason, Reason::kClockDoubt) << name;
  }
}

TEST(ClockCheckTest, ALastSignatureInTheFutureIsDoubted) {
  const auto policy = zone::FindZonePolicy("standard").value();

  EXPECT_TRUE(CompareWithLastSignature("z.", policy, kNow + 60s, kNow)) << "another signer's clock may be a little ahead";
  EXPECT_EQ(CompareWithLastSignature("z.", policy, kNow + 61s, kNow).error().reason, Reason::kClockDoubt);
}

}  // namespace
}  // namespace idzone::signer::pipeline
