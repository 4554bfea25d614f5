// SPDX-License-Identifier: MIT
#include "services/feed/follower_ledger.h"

#include <gtest/gtest.h>

namespace idzone::feed {
namespace {

using Step = FollowerLedger::Step;
using std::chrono::seconds;

struct FollowerLedgerTest : testing::Test {
  dns::Name zone = dns::Name::Parse("_device.acme.example.").value();
  TimePoint now = TimePoint(seconds(1000));
  FollowerLedger ledger;

  static zone::ZonePosition At(dns::Serial serial, zone::Epoch epoch = 1) { return {epoch, serial, Octets(32, static_cast<char>(serial))}; }
  void SendSnapshot(dns::Serial serial) {
    ledger.BeginSnapshot(zone);
    ledger.Send({zone, false, At(serial)});
  }
};

TEST_F(FollowerLedgerTest, ChoosesBySeenPosition) {
  EXPECT_EQ(ledger.Next(zone, At(5), now), Step::kSnapshot) << "holds nothing";
  ledger.Hold(zone, At(4));
  EXPECT_EQ(ledger.Next(zone, At(4), now), Step::kNothing);
  EXPECT_EQ(ledger.Next(zone, At(5), now), Step::kVersions);
  EXPECT_EQ(ledger.Next(zone, At(5, 2), now), Step::kSnapshot) << "another epoch";
  ledger.Send({zone, true, At(5)});
  EXPECT_EQ(ledger.Next(zone, At(5), now), Step::kNothing) << "under way";
}

TEST_F(FollowerLedgerTest, SaysOnceWhereTheFollowerStandsByItsOwnWord) {
  EXPECT_FALSE(ledger.NotYetCompared(zone)) << "holds nothing";
  ledger.Hold(zone, At(4));
  ledger.Send({zone, true, At(5)});
  EXPECT_EQ(ledger.NotYetCompared(zone), At(4)) << "not what it was sent";

  ledger.NoteCompared(zone);
  EXPECT_FALSE(ledger.NotYetCompared(zone));
  ASSERT_TRUE(ledger.Apply(At(5)));

  EXPECT_EQ(ledger.NotYetCompared(zone), At(5));
}

TEST_F(FollowerLedgerTest, TellsThatTheServerCouldNotReadASnapshotUntilTheNextBegins) {
  ledger.Hold(zone, At(4));
  EXPECT_FALSE(ledger.HasFailed(zone));

  ledger.FailSnapshot(zone, now);
  EXPECT_TRUE(ledger.HasFailed(zone));

  ledger.BeginSnapshot(zone);
  EXPECT_FALSE(ledger.HasFailed(zone));
}

TEST_F(FollowerLedgerTest, ClosesTheWindowAtSixteen) {
  for (dns::Serial serial = 1; serial <= FollowerLedger::kWindow; ++serial) {
    EXPECT_TRUE(ledger.WindowOpen());
    ledger.Send({zone, true, At(serial)});
  }
  EXPECT_FALSE(ledger.WindowOpen());

  ASSERT_TRUE(ledger.Apply(At(1)));

  EXPECT_TRUE(ledger.WindowOpen());
}

TEST_F(FollowerLedgerTest, TakesAnswersInOrderOnly) {
  ledger.Send({zone, true, At(1)});
  ledger.Send({zone, true, At(2)});

  EXPECT_EQ(ledger.Apply(At(2)).error().reason, Reason::kValueMalformed);
  EXPECT_TRUE(ledger.Apply(At(1)));
  EXPECT_EQ(ledger.Refuse(dns::Name::Parse("other.example.").value(), now).error().reason, Reason::kValueMalformed);
  EXPECT_TRUE(ledger.Apply(std::nullopt)) << "what follows a refusal is answered without a position";
  EXPECT_EQ(ledger.Apply(std::nullopt).error().reason, Reason::kValueMalformed) << "one answer too many";
}

TEST_F(FollowerLedgerTest, SendsASnapshotAtOnceAfterTheFirstRefusalAndSlowlyAfterTheNext) {
  ledger.Hold(zone, At(1));
  ledger.Send({zone, true, At(2)});
  ASSERT_TRUE(ledger.Refuse(zone, now));
  EXPECT_EQ(ledger.Next(zone, At(2), now), Step::kSnapshot);

  for (const seconds delay : {seconds(5), seconds(10), seconds(20), seconds(40), seconds(80), seconds(160), seconds(300), seconds(300)}) {
    SendSnapshot(2);
    ASSERT_TRUE(ledger.Refuse(zone, now));
    EXPECT_EQ(ledger.Next(zone, At(3), now + delay - seconds(1)), Step::kNothing);
    EXPECT_EQ(ledger.Next(zone, At(3), now + delay), Step::kSnapshot);
  }
}

TEST_F(FollowerLedgerTest, StaysSlowUntilAVersionIsAppliedAgain) {
  ledger.Hold(zone, At(1));
  ledger.Send({zone, true, At(2)});
  ASSERT_TRUE(ledger.Refuse(zone, now));
  SendSnapshot(2);
  ASSERT_TRUE(ledger.Apply(At(2)));
  ledger.Send({zone, true, At(3)});
  ASSERT_TRUE(ledger.Refuse(zone, now));
  EXPECT_EQ(ledger.Next(zone, At(3), now), Step::kNothing) << "a snapshot for each version would never end";

  now += seconds(5);
  SendSnapshot(3);
  ASSERT_TRUE(ledger.Apply(At(3)));
  ledger.Send({zone, true, At(4)});
  ASSERT_TRUE(ledger.Apply(At(4)));
  ledger.Send({zone, true, At(5)});
  ASSERT_TRUE(ledger.Refuse(zone, now));

  EXPECT_EQ(ledger.Next(zone, At(5), now), Step::kSnapshot);
}

TEST_F(FollowerLedgerTest, EndsASnapshotThatIsRefusedOnTheWay) {
  ledger.BeginSnapshot(zone);
  ledger.Send({zone, false, std::nullopt});
  EXPECT_TRUE(ledger.SnapshotGoesOn(zone));
  EXPECT_EQ(ledger.Next(zone, At(2), now), Step::kNothing);

  ASSERT_TRUE(ledger.Refuse(zone, now));

  EXPECT_FALSE(ledger.SnapshotGoesOn(zone));
  EXPECT_EQ(ledger.Next(zone, At(2), now), Step::kSnapshot);
}

TEST_F(FollowerLedgerTest, TheFollowerIsWhereItSaysAndNowhereElse) {
  const dns::Name other = dns::Name::Parse("7f._device.acme.example.").value(), child = dns::Name::Parse("8._device.acme.example.").value();
  const dns::Name stranger = dns::Name::Parse("_device.stranger.example.").value();
  ledger.Hold(zone, At(1));
  ledger.Hold(other, At(3));
  ledger.BeginSnapshot(child);
  ledger.Send({child, false, At(9)});
  ASSERT_TRUE(ledger.Apply(std::nullopt)) << "a child that is kept back";
  EXPECT_EQ(ledger.Reached(child), zone::ZonePosition{});
  ledger.Send({zone, true, At(2), {{other, At(4)}}});

  ASSERT_TRUE(ledger.Apply(At(2), {{child, At(9)}, {stranger, At(1)}})) << "the other one was refused before, and is not named";

  EXPECT_EQ(ledger.Reached(zone), At(2));
  EXPECT_EQ(ledger.Reached(child), At(9)) << "its parent came";
  EXPECT_EQ(ledger.Reached(other), At(3));
  EXPECT_FALSE(ledger.Holds(stranger)) << "it was never sent";
}

TEST_F(FollowerLedgerTest, ARefusalOfOneSendsAllThatCameTogetherAgain) {
  const dns::Name other = dns::Name::Parse("7f._device.acme.example.").value();
  ledger.Hold(zone, At(1));
  ledger.Hold(other, At(3));
  ledger.Send({zone, true, At(2), {{other, At(4)}}});
  EXPECT_EQ(ledger.Next(other, At(4), now), Step::kNothing) << "under way";

  ASSERT_TRUE(ledger.Refuse(other, now));

  EXPECT_EQ(ledger.Next(zone, At(2), now), Step::kSnapshot);
  EXPECT_EQ(ledger.Next(other, At(4), now), Step::kSnapshot);
}

}  // namespace
}  // namespace idzone::feed
