// SPDX-License-Identifier: MIT
#include "services/transfer/secondary_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace idzone::transfer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPeriod(10);
constexpr std::size_t kMany = 1000;

const dns::Name kZone = dns::Name::Parse("_device.acme.example.").value();

ZoneNow At(dns::Serial serial) {
  return {kZone, {1, serial, Octets(32, static_cast<char>('a' + serial % 20))}};
}

class SecondaryWatchTest : public testing::Test {
 protected:
  /// Sends what is due and returns to whom, of one kind.
  std::vector<std::size_t> Take(Opcode opcode) {
    std::vector<std::size_t> to;
    for (const Due& due : watch_.TakeDue(now_, kMany)) {
      EXPECT_EQ(due.zone, kZone);
      if (due.opcode == opcode) to.push_back(due.secondary);
    }
    return to;
  }
  void Advance(milliseconds step) { now_ += step; }
  /// Both have the version, and everybody knows.
  void Settle(dns::Serial serial) {
    watch_.SetZones({At(serial)});
    Take(Opcode::kNotify);
    for (std::size_t i = 0; i < 2; ++i) watch_.Answered(i, kZone, serial, false, now_);
  }

  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  SecondaryWatch watch_{2, kPeriod};
};

using Indexes = std::vector<std::size_t>;

TEST_F(SecondaryWatchTest, ANewVersionIsToldAtOnce) {
  Settle(1);
  Advance(kPeriod);
  watch_.SetZones({At(2)});
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{0, 1}));
}

TEST_F(SecondaryWatchTest, ThousandVersionsInAPeriodAreToldOnceAndTheLastOfThemAfterIt) {
  Settle(1);
  Advance(kPeriod);
  int rounds = 0;
  for (dns::Serial serial = 2; serial < 1002; ++serial) {
    watch_.SetZones({At(serial)});
    rounds += !Take(Opcode::kNotify).empty();
    Advance(milliseconds(9));
  }
  EXPECT_EQ(rounds, 1);
  Advance(kPeriod);
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{0, 1}));
}

TEST_F(SecondaryWatchTest, OnlyThoseBehindAreToldAgain) {
  Settle(1);
  Advance(kPeriod);
  watch_.SetZones({At(2)});
  Take(Opcode::kNotify);
  watch_.Answered(0, kZone, 2, false, now_);
  Advance(kPeriod);
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{1}));
  watch_.Answered(1, kZone, 2, false, now_);
  Advance(kPeriod);
  EXPECT_EQ(Take(Opcode::kNotify), Indexes());
}

TEST_F(SecondaryWatchTest, OneBehindIsAskedSoonAndThenLessOften) {
  watch_.SetZones({At(1)});
  Take(Opcode::kNotify);
  std::vector<int> asked_after;
  for (int step = 0; step < 400; ++step) {
    const auto asked = Take(Opcode::kQuery);
    if (std::count(asked.begin(), asked.end(), 0u) == 1) asked_after.push_back(step * 50);
    Advance(milliseconds(50));
  }
  ASSERT_GE(asked_after.size(), 4u);
  EXPECT_LE(asked_after[0], 300);
  EXPECT_LT(asked_after.size(), 20u) << "20 s";
}

TEST_F(SecondaryWatchTest, OneThatHasTheNewestIsAskedEachMinute) {
  Settle(1);
  Advance(SecondaryWatch::kAskCurrent - milliseconds(1));
  EXPECT_EQ(Take(Opcode::kQuery), Indexes());
  Advance(milliseconds(1));
  EXPECT_EQ(Take(Opcode::kQuery), (Indexes{0, 1}));
}

TEST_F(SecondaryWatchTest, StandingsAreVersionsThatWereServedHere) {
  Settle(1);
  watch_.SetZones({At(2)});
  watch_.Answered(1, kZone, 2, false, now_);
  EXPECT_EQ(watch_.Standings(), (std::vector<Standing>{{0, kZone, true, At(1).position}, {1, kZone, true, At(2).position}}));
  EXPECT_EQ(watch_.CountBehind(0), 1u);
  EXPECT_EQ(watch_.CountBehind(1), 0u);

  watch_.Answered(0, kZone, 777, false, now_);  // nobody knows that one
  watch_.Answered(1, kZone, std::nullopt, true, now_);
  EXPECT_EQ(watch_.Standings(), (std::vector<Standing>{{0, kZone, true, {}}, {1, kZone, false, {}}}));
}

TEST_F(SecondaryWatchTest, NothingIsSaidOfOneThatHasNotAnswered) {
  watch_.SetZones({At(1)});
  EXPECT_TRUE(watch_.Standings().empty());
  watch_.Answered(1, kZone, std::nullopt, false, now_);  // SERVFAIL: nothing that is old comes from there
  EXPECT_EQ(watch_.Standings(), (std::vector<Standing>{{1, kZone, false, {}}}));
}

TEST_F(SecondaryWatchTest, ASecondaryAheadOfUsIsBehind) {
  Settle(5);
  watch_.SetZones({{kZone, {2, 3, Octets(32, 'n')}}});  // a restore: another epoch, an older serial
  EXPECT_EQ(watch_.CountBehind(0), 1u);
}

TEST_F(SecondaryWatchTest, OneThatDoesNotAnswerIsToldEverMoreRarely) {
  watch_.SetZones({At(1)});
  watch_.Answered(0, kZone, 1, false, now_);
  int told = 0;
  for (int period = 0; period < 100; ++period) {
    const auto to = Take(Opcode::kNotify);
    told += to == Indexes{1};
    watch_.Answered(1, kZone, std::nullopt, true, now_);  // REFUSED: it has no such zone
    Advance(kPeriod);
  }
  EXPECT_GE(told, 6);
  EXPECT_LE(told, 9);
  watch_.Answered(1, kZone, 0, false, now_);  // it is there, with an old version
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{1}));
}

TEST_F(SecondaryWatchTest, ACatalogIsForThoseWhoHaveIt) {
  ZoneNow catalog = At(1);
  catalog.optional = true;
  watch_.SetZones({catalog});
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{0, 1})) << "who knows?";
  watch_.Answered(0, kZone, std::nullopt, true, now_);
  watch_.Answered(1, kZone, 1, false, now_);
  EXPECT_EQ(watch_.CountBehind(0), 0u);
  catalog = At(2);
  catalog.optional = true;
  watch_.SetZones({catalog});
  Advance(kPeriod);
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{0, 1})) << "it may be a consumer that answers no questions";
  Advance(kPeriod);
  EXPECT_EQ(Take(Opcode::kNotify), (Indexes{1}));

  watch_.Answered(1, kZone, std::nullopt, false, now_);  // SERVFAIL: a consumer that has not loaded it
  EXPECT_EQ(watch_.CountBehind(1), 1u);
}

TEST_F(SecondaryWatchTest, ZonesThatAreGoneAreForgotten) {
  Settle(1);
  watch_.SetZones({});
  EXPECT_TRUE(watch_.Standings().empty());
  watch_.Answered(0, kZone, 1, false, now_);
  EXPECT_TRUE(watch_.TakeDue(now_ + std::chrono::hours(1), kMany).empty());
}

TEST_F(SecondaryWatchTest, PacketsOfATickHaveALimitAndNoneIsForgotten) {
  std::vector<ZoneNow> zones;
  for (int i = 0; i < 50; ++i) zones.push_back({dns::Name::Parse("z" + std::to_string(i) + ".").value(), {1, 1, Octets(32, 'a')}});
  watch_.SetZones(zones);
  std::size_t notifies = 0;
  for (int tick = 0; tick < 40; ++tick) {
    const auto due = watch_.TakeDue(now_, 10);
    EXPECT_LE(due.size(), 10u);
    notifies +=
        static_cast<std::size_t>(std::count_if(due.begin(), due.end(), [](const Due& each) { return each.opcode == Opcode::kNotify; }));
    Advance(milliseconds(50));
  }
  EXPECT_EQ(notifies, 100u);
}

}  // namespace
}  // namespace idzone::transfer
