// SPDX-License-Identifier: MIT
#include "services/nameserver/zone_news.h"

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

class ZoneNewsTest : public ::testing::Test {
 protected:
  /// As a session does: takes a snapshot and tells before it reads.
  void Open(replica::Snapshot& snapshot) {
    Must(snapshot.Renew());
    news_.TellUpTo(snapshot, environment_);
    snapshot.Release();
  }

  ServedReplica replica_;
  std::shared_ptr<replica::Environment> environment_ = replica_.writer().environment();
  std::vector<std::string> told_;
  std::vector<std::string> forgotten_;
  ZoneNews news_{[this](OctetsView apex, std::optional<replica::ZoneNumber> number) {
                   told_.push_back(Must(dns::Name::FromWire(apex)).Format() + (number ? " there" : " gone"));
                 },
                 [this](const std::vector<OctetsView>& apexes) {
                   if (apexes.empty()) forgotten_.push_back("all");
                   for (const OctetsView apex : apexes) forgotten_.push_back(Must(dns::Name::FromWire(apex)).Format());
                 }};
};

using Told = std::vector<std::string>;

TEST_F(ZoneNewsTest, AZoneIsToldWhenTheFirstSnapshotThatHasItIsTakenAndOnlyThen) {
  replica::Snapshot first(environment_), second(environment_);
  Open(first);
  EXPECT_EQ(told_, Told{});

  replica_.Load(1);
  Open(first);
  EXPECT_EQ(told_, Told{"_device.acme.example. there"});
  Open(second);
  Open(first);
  EXPECT_EQ(told_.size(), 1U) << "once for all";
  EXPECT_EQ(forgotten_, (Told{"all", "_device.acme.example."})) << "before anybody answers from that snapshot";

  Must(replica_.writer().RemoveZone(replica_.apex));
  Open(second);
  EXPECT_EQ(told_, (Told{"_device.acme.example. there", "_device.acme.example. gone"}));
}

TEST_F(ZoneNewsTest, OfAReplicaThatIsNewAllZonesAreTold) {
  replica_.Load(1);
  replica::Snapshot snapshot(environment_);
  Open(snapshot);
  EXPECT_EQ(told_, Told{"_device.acme.example. there"});

  ServedReplica other;
  other.Load(1);
  environment_ = other.writer().environment();
  replica::Snapshot another(environment_);
  Open(another);
  EXPECT_EQ(told_.size(), 2U) << "it may number them otherwise";
}

}  // namespace
}  // namespace idzone::nameserver
