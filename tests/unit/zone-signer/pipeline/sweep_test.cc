// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/sweep.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "services/store/published_store.h"

namespace idzone::signer::pipeline {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr UnixTime kStart(seconds(1'800'000'000));
constexpr hours kPeriod(24);

SweepLimits Limits(std::int64_t nodes) {
  return {kPeriod, nodes, 1000};
}

TEST(SweepTest, WaitsUntilAPartIsDue) {
  const SweepState state{Octets(), kStart};

  EXPECT_FALSE(NextSweepStep(state, Limits(500), kStart).has_value());
  EXPECT_FALSE(NextSweepStep(state, Limits(500), kStart + minutes(5)).has_value());
  EXPECT_TRUE(NextSweepStep(state, Limits(500), kStart + minutes(6)).has_value());
}

TEST(SweepTest, TakesFewStepsInAZoneOfFewNames) {
  const SweepState state{Octets(), kStart};

  EXPECT_FALSE(NextSweepStep(state, Limits(1), kStart + minutes(89)).has_value());
  EXPECT_TRUE(NextSweepStep(state, Limits(1), kStart + minutes(91)).has_value());
  EXPECT_FALSE(NextSweepStep(state, Limits(100), kStart + minutes(14)).has_value());
  EXPECT_TRUE(NextSweepStep(state, Limits(100), kStart + minutes(15)).has_value());
}

TEST(SweepTest, TellsWhenTheNextStepIsDue) {
  for (const std::int64_t nodes : {1, 100, 5'000, 1'000'000}) {
    for (const Octets& position : {Octets(), Octets(20, '\x40'), Octets(20, '\xff')}) {
      const SweepState state{position, kStart};
      const UnixTime due = NextSweepTime(state, Limits(nodes));
      EXPECT_TRUE(NextSweepStep(state, Limits(nodes), due + seconds(1)).has_value()) << nodes;
      EXPECT_FALSE(NextSweepStep(state, Limits(nodes), due - seconds(1)).has_value()) << nodes;
    }
  }
}

TEST(SweepTest, TakesSmallerPartsOfALargeZone) {
  const SweepState state{Octets(), kStart};

  // A million nodes a day are a thousand in 86.4 s.
  EXPECT_FALSE(NextSweepStep(state, Limits(1'000'000), kStart + seconds(80)).has_value());
  EXPECT_TRUE(NextSweepStep(state, Limits(1'000'000), kStart + seconds(90)).has_value());
}

TEST(SweepTest, CoversItsOrderAsTheTimeGoes) {
  const auto step = NextSweepStep({Octets(), kStart}, Limits(100), kStart + hours(6));

  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->after, Octets());
  EXPECT_EQ(HexEncode(step->through).substr(0, 4), "4000");
  EXPECT_FALSE(step->ends_round);
}

TEST(SweepTest, GoesOnFromTheLastNodeOfAFullBatch) {
  const SweepState state{Octets(), kStart};
  const auto step = NextSweepStep(state, Limits(100), kStart + hours(6));
  const Octets last(20, '\x20');

  const SweepState next = AfterSweepStep(state, *step, last, kPeriod, kStart + hours(6));

  EXPECT_EQ(next.position, last);
  EXPECT_EQ(next.round_start, kStart);
  EXPECT_EQ(NextSweepStep(next, Limits(100), kStart + hours(6))->after, last);
}

TEST(SweepTest, BeginsTheNextRoundOnSchedule) {
  const SweepState state{Octets(20, '\xf0'), kStart};
  const UnixTime now = kStart + kPeriod + minutes(3);
  const auto step = NextSweepStep(state, Limits(100), now);
  ASSERT_TRUE(step && step->ends_round);

  const SweepState next = AfterSweepStep(state, *step, {}, kPeriod, now);

  EXPECT_EQ(next.position, Octets());
  EXPECT_EQ(next.round_start, kStart + kPeriod);
}

TEST(SweepTest, DoesNotMakeUpForMissedRounds) {
  const UnixTime now = kStart + 10 * kPeriod;
  const SweepState state{Octets(), kStart};
  const auto step = NextSweepStep(state, Limits(100), now);

  EXPECT_EQ(AfterSweepStep(state, *step, {}, kPeriod, now).round_start, now - kPeriod);
}

TEST(SweepTest, TellsItsLag) {
  EXPECT_EQ(SweepLag({Octets(20, '\0'), kStart}, kPeriod, kStart + hours(6)), hours(6));
  EXPECT_EQ(SweepLag({Octets("\x40", 1), kStart}, kPeriod, kStart + hours(6)), seconds(0));
}

/// Ten days of a zone whose names come and go, in simulated time: no signature may ever get older than 1.5 periods
/// (and the coarseness of steps), and the work must be spread. `next_name` says which name comes next; every second day a
/// heap of names comes at once.
void LiveTenDays(dns::DenialKind kind, const std::function<std::string()>& next_name) {
  std::mt19937 random(7);
  const dns::Name apex = dns::Name::Parse("_device.example.").value();
  std::map<Octets, UnixTime> signed_at;  // by place
  const auto add = [&](UnixTime now) {
    store::NodeRow node;
    node.owner = apex.Prepend(next_name()).value();
    node.key = dns::DenialKeyOf(kind, node.owner, apex);
    signed_at[store::SweepPlaceOf(kind, node)] = now;
  };
  for (int i = 0; i < 5000; ++i) add(kStart);
  SweepState state{Octets(), kStart};
  std::size_t largest_step = 0;
  for (UnixTime now = kStart; now < kStart + 10 * kPeriod; now += minutes(1)) {
    if (random() % 3 == 0) add(now);
    if ((now - kStart) % (2 * kPeriod) == hours(7)) {
      for (int i = 0; i < 1000; ++i) add(now);
    }
    if (const auto step = NextSweepStep(state, Limits(static_cast<std::int64_t>(signed_at.size())), now)) {
      Octets last;
      std::size_t count = 0;
      for (auto node = signed_at.upper_bound(step->after); node != signed_at.end() && node->first <= step->through; ++node) {
        if (SweepRenews(now - node->second, kPeriod)) node->second = now;
        if (++count == 1000) {
          last = node->first;
          break;
        }
      }
      largest_step = std::max(largest_step, count);
      state = AfterSweepStep(state, *step, last, kPeriod, now);
    }
    for (const auto& [key, time] : signed_at) ASSERT_LE(now - time, kPeriod * 3 / 2 + minutes(8));
  }
  EXPECT_LE(largest_step, 120u);
}

TEST(SweepPropertyTest, NoSignatureGetsOlderThanOneAndAHalfPeriods) {
  std::mt19937 random(8);
  LiveTenDays(dns::DenialKind::kNsec3, [&] { return std::to_string(random()); });
}

// Each name comes before all others: a sweep by the order of names, or by their number, would meet the old ones later and
// later.
TEST(SweepPropertyTest, NoSignatureOfAnNsecZoneThatGrowsAtOneEndGetsOlder) {
  int number = 10'000'000;
  LiveTenDays(dns::DenialKind::kNsec, [&] { return "dev" + std::to_string(--number); });
}

}  // namespace
}  // namespace idzone::signer::pipeline
