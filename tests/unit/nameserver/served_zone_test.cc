// SPDX-License-Identifier: MIT
#include "services/nameserver/served_zone.h"

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

TEST(ServedZoneTest, ZoneIsFoundByNameByNumberAndFromBelow) {
  ServedReplica replica;
  replica.Load(7);
  replica::Snapshot snapshot(replica.writer().environment());
  Must(snapshot.Renew());

  const ServedZone zone = *Must(FindServedZone(snapshot, replica.apex));

  EXPECT_EQ(zone.record.position.serial, 7u);
  EXPECT_EQ(Must(FindServedZone(snapshot, zone.record.number))->apex, replica.apex);
  EXPECT_EQ(Must(FindEnclosingZone(snapshot, replica.identity))->apex, replica.apex);
  EXPECT_FALSE(Must(FindEnclosingZone(snapshot, MakeName("acme.example."))).has_value());
  EXPECT_FALSE(Must(FindServedZone(snapshot, zone.record.number + 1)).has_value());
}

}  // namespace
}  // namespace idzone::nameserver
