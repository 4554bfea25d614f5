// SPDX-License-Identifier: MIT
#include "services/provisioning/change_wait.h"

#include <gtest/gtest.h>

namespace idzone::provisioning {
namespace {

store::EdgePositionRecord Edge(std::string id, zone::Epoch epoch, dns::Serial serial) {
  store::EdgePositionRecord edge;
  edge.edge_id = std::move(id);
  edge.epoch = epoch;
  edge.serial = serial;
  return edge;
}

store::PublishedIn Version(zone::Epoch epoch, dns::Serial serial) {
  return {"_device.acme.example.", epoch, serial};
}

TEST(EdgesBehindTest, EdgeThatHasTheVersionIsNotBehind) {
  EXPECT_TRUE(EdgesBehind({Edge("a", 1, 7), Edge("b", 1, 8)}, Version(1, 7)).empty());
}

TEST(EdgesBehindTest, EdgeWithNothingOrAnOlderVersionIsBehind) {
  EXPECT_EQ(EdgesBehind({Edge("a", 0, 0), Edge("b", 1, 6), Edge("c", 1, 7)}, Version(1, 7)), (std::vector<std::string>{"a", "b"}));
}

TEST(EdgesBehindTest, SerialsWrapAround) {
  EXPECT_TRUE(EdgesBehind({Edge("a", 1, 3)}, Version(1, 0xfffffffe)).empty());
  EXPECT_EQ(EdgesBehind({Edge("a", 1, 0xfffffffe)}, Version(1, 3)).size(), 1u);
}

TEST(EdgesBehindTest, EpochCountsBeforeTheSerial) {
  EXPECT_TRUE(EdgesBehind({Edge("a", 2, 1)}, Version(1, 500)).empty());
  EXPECT_EQ(EdgesBehind({Edge("a", 1, 500)}, Version(2, 1)).size(), 1u);
}

TEST(VersionNeededTest, IsTheNewestOfTheChanges) {
  store::ChangeReport report;
  report.zone = Version(1, 20);
  report.changes = {{1, true, Version(1, 5)}, {2, true, Version(1, 9)}, {3, false, std::nullopt}};

  EXPECT_EQ(VersionNeeded(report)->serial, 9u);
}

TEST(VersionNeededTest, IsTheZonesOwnWhenAChangesVersionIsForgottenOrNoneIsNamed) {
  store::ChangeReport report;
  report.zone = Version(1, 20);
  EXPECT_EQ(VersionNeeded(report)->serial, 20u);

  report.changes = {{1, true, std::nullopt}, {2, true, Version(1, 9)}};
  EXPECT_EQ(VersionNeeded(report)->serial, 20u);
}

}  // namespace
}  // namespace idzone::provisioning
