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

TEST(ServedZoneTest, OnlyTheNodeThatCoversAKeyIsBelieved) {
  for (const auto kind : {dns::DenialKind::kNsec3, dns::DenialKind::kNsec}) {
    ServedReplica replica(kind);
    replica.Load(7);
    replica::Snapshot snapshot(replica.writer().environment());
    Must(snapshot.Renew());
    const ServedZone zone = *Must(FindServedZone(snapshot, replica.apex));

    std::size_t wrong = 0;
    for (const char* absent : {"a", "b", "cut0", "d", "f", "zz", "q.e", "a.d.e", "e"}) {
      const dns::DenialKey key = LookUpKey(zone, MakeName(std::string(absent) + "._device.acme.example."));
      const replica::Place right = *Must(snapshot.Find(zone.record.generation, key));
      EXPECT_TRUE(CheckCovers(zone, right, key)) << absent;
      // Any other node is what a damaged tree could lead to.
      Octets at;
      while (const auto node = Must(snapshot.After(zone.record.generation, at))) {
        at = Octets(node->key);
        replica::Place other{*node, false, right.names_below};
        if (right.exact || other.node.key == right.node.key || other.node.key == key) continue;
        EXPECT_EQ(CheckCovers(zone, other, key).error().reason, Reason::kEncodingMalformed) << absent;
        ++wrong;
      }
      if (right.exact) continue;
      replica::Place otherwise = right;
      otherwise.names_below = !right.names_below;
      EXPECT_FALSE(CheckCovers(zone, otherwise, key)) << absent;
    }
    EXPECT_GT(wrong, 12u);
  }
}

}  // namespace
}  // namespace idzone::nameserver
