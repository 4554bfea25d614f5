// SPDX-License-Identifier: MIT
#include "zone-signer/rollover/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace idzone::signer::rollover {
namespace {

using std::chrono::hours;
using zone::KeyRole;
using zone::KeyState;

constexpr UnixTime kNow(std::chrono::seconds(1'800'000'000));
constexpr KeyLives kLives{hours(24 * 400), hours(24 * 40)};

RolledKey Key(const std::string& name, KeyRole role) {
  return {.id = Sha256(name), .role = role, .algorithm = 13, .state = KeyState::kActive, .uses = zone::AllUses(role), .part = Part::kNone};
}

RollState StateOf(std::vector<RolledKey> keys) {
  RollState state;
  state.keys = std::move(keys);
  return state;
}

TEST(ScheduleTest, AKeyLivesForThreeQuartersOfItsLifeAtLeastAndNeverLonger) {
  UnixTime first = UnixTime::max(), last = UnixTime::min();
  for (int i = 0; i < 1000; ++i) {
    const auto schedule = ScheduleFrom({Key(std::to_string(i), KeyRole::kCsk)}, kLives, kNow);
    ASSERT_TRUE(schedule.keys_at);
    EXPECT_FALSE(schedule.zsk_at) << "there is no ZSK";
    first = std::min(first, *schedule.keys_at);
    last = std::max(last, *schedule.keys_at);
  }
  EXPECT_GE(first, kNow + hours(24 * 300));
  EXPECT_LE(last, kNow + hours(24 * 400));
  EXPECT_GT(last - first, hours(24 * 95)) << "sets that are made together do not roll together";
}

TEST(ScheduleTest, ManySetsOfOneMomentAreSpreadEvenly) {
  constexpr int kSets = 4096, kParts = 16;
  std::vector<int> parts(kParts);
  for (int i = 0; i < kSets; ++i) {
    const auto due = *ScheduleFrom({Key("set" + std::to_string(i), KeyRole::kCsk)}, kLives, kNow).keys_at;
    ++parts[static_cast<std::size_t>((due - kNow - hours(24 * 300)) * kParts / hours(24 * 100))];
  }
  for (const int part : parts) EXPECT_NEAR(part, kSets / kParts, 5 * 16) << "five standard deviations";
}

TEST(ScheduleTest, WithoutALifeNothingIsEverDue) {
  const auto schedule = ScheduleFrom({Key("k", KeyRole::kKsk), Key("z", KeyRole::kZsk)}, {}, kNow);

  EXPECT_EQ(schedule, Schedule());
  EXPECT_FALSE(DueRoll(StateOf({Key("k", KeyRole::kKsk), Key("z", KeyRole::kZsk)}), schedule, UnixTime::max()));
}

TEST(ScheduleTest, WhatIsDueLongerGoesFirstAndEachInItsStyle) {
  const auto split = StateOf({Key("k", KeyRole::kKsk), Key("z", KeyRole::kZsk)});
  const Schedule schedule{kNow, kNow - hours(1)};

  EXPECT_FALSE(DueRoll(split, schedule, kNow - hours(2)));
  EXPECT_EQ(DueRoll(split, schedule, kNow)->style, Style::kZskPrePublish);
  EXPECT_EQ(DueRoll(split, {kNow - hours(1), kNow}, kNow)->style, Style::kKskDoubleSignature);
  EXPECT_EQ(DueRoll(StateOf({Key("c", KeyRole::kCsk)}), {kNow, {}}, kNow)->style, Style::kAllKeys);
}

TEST(ScheduleTest, NothingBeginsWhileARollIsUnderWay) {
  auto state = StateOf({Key("c", KeyRole::kCsk)});
  const auto begun = Apply(state, Begin{}, {}, kNow);
  ASSERT_TRUE(begun);

  EXPECT_FALSE(DueRoll(begun->state, {kNow, {}}, kNow + hours(1)));
}

TEST(ScheduleTest, ARollSetsBackTheClockOfWhatItReplaced) {
  const std::vector keys{Key("k2", KeyRole::kKsk), Key("z2", KeyRole::kZsk)};
  const Schedule before{kNow + hours(5), kNow + hours(6)};

  const auto zsk = ScheduleFrom(keys, kLives, kNow, before, Style::kZskPrePublish);
  const auto ksk = ScheduleFrom(keys, kLives, kNow, before, Style::kKskDoubleDs);
  const auto all = ScheduleFrom(keys, kLives, kNow, before, Style::kAllKeys);

  EXPECT_EQ(zsk.keys_at, before.keys_at);
  EXPECT_GE(zsk.zsk_at, kNow + hours(24 * 30));
  EXPECT_EQ(ksk.zsk_at, before.zsk_at);
  EXPECT_GE(ksk.keys_at, kNow + hours(24 * 300));
  EXPECT_EQ(all.keys_at, ksk.keys_at);
  EXPECT_EQ(all.zsk_at, zsk.zsk_at);
}

// From two keys to one: the ZSK is gone, and so is its time.
TEST(ScheduleTest, AKeyThatLeavesHasNoTimeAnyMore) {
  auto leaving = Key("z", KeyRole::kZsk);
  leaving.state = KeyState::kRemoved;

  EXPECT_FALSE(ScheduleFrom({Key("c", KeyRole::kCsk), leaving}, kLives, kNow, {kNow, kNow}, Style::kAllKeys).zsk_at);
}

}  // namespace
}  // namespace idzone::signer::rollover
