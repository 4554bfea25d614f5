// SPDX-License-Identifier: MIT
#include "services/replica/reader.h"

#include <gtest/gtest.h>

#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() { Fill(*writer_, 7, {"d1", "d2", "d3"}); }

  ZoneRecord Zone() { return snapshot_.FindZone(ZoneName().wire()).value().value(); }

  ScratchDirectory directory_;
  std::unique_ptr<ReplicaWriter> writer_ = OpenWriter(directory_);
  Snapshot snapshot_{writer_->environment()};
};

TEST_F(ReaderTest, ZonesAreFoundByNameAndNumber) {
  ASSERT_TRUE(snapshot_.Renew());

  EXPECT_EQ(Zone().position, At(7));
  EXPECT_EQ(snapshot_.FindApex(Zone().number).value(), ZoneName().wire());
  EXPECT_EQ(snapshot_.Zones()->zones.size(), 1u);
  EXPECT_EQ(snapshot_.Zones()->zones.front().record, Zone());
  EXPECT_TRUE(snapshot_.Zones()->damages.empty());
  EXPECT_FALSE(snapshot_.FindZone(dns::Name().wire())->has_value());
}

TEST_F(ReaderTest, ANameIsFoundAndAnAbsentOneMeetsTheNodeThatCoversIt) {
  ASSERT_TRUE(snapshot_.Renew());
  const auto nodes = WholeZone({"d1", "d2", "d3"});
  // Another zone's generations lie before and after.
  const Generation generation = Zone().generation;

  for (int i = 0; i < 500; ++i) {
    const std::string device = i < 3 ? "d" + std::to_string(i + 1) : "absent" + std::to_string(i);
    const dns::DenialKey hash = KeyOf(device);
    const auto place = snapshot_.Find(generation, hash).value();
    ASSERT_TRUE(place);
    ASSERT_EQ(place->exact, i < 3);
    if (place->exact) {
      EXPECT_EQ(place->node.key, hash);
      continue;
    }
    const bool wraps = place->node.next <= place->node.key;
    EXPECT_TRUE(wraps ? hash > place->node.key || hash < place->node.next : hash > place->node.key && hash < place->node.next);
  }
}

TEST_F(ReaderTest, TheLowestAndTheHighestHashAreCoveredByTheLastNodeAlsoBesideOtherGenerations) {
  // The zone's second generation now lies between those of two other zones.
  Fill(*writer_, 8, {"d1", "d2", "d3"});
  ASSERT_TRUE(snapshot_.Renew());
  const Generation generation = Zone().generation;
  {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    for (const Generation other : {generation - 1, generation + 1}) {
      const Octets key = EncodeNodeKey(other, Octets(20, '\x80'));
      const zone::Node node{.owner = dns::Name::Parse("other.").value(), .rrsets = {}, .denial = {Octets(20, '\x80'), "x"}};
      ASSERT_TRUE(transaction.Put(Tree::kNode, key, EncodeNode(key, node)));
    }
    ASSERT_TRUE(transaction.Commit());
  }
  ASSERT_TRUE(snapshot_.Renew());
  const dns::DenialKey last = WholeZone({"d1", "d2", "d3"}).back().key;

  for (const Octets& hash : {Octets(20, '\x00'), Octets(20, '\xff')}) {
    const auto place = snapshot_.Find(generation, hash).value();
    ASSERT_TRUE(place);
    EXPECT_FALSE(place->exact);
    EXPECT_EQ(place->node.key, last);
  }
}

TEST_F(ReaderTest, WalkingMeetsEveryNodeOnceInOrder) {
  ASSERT_TRUE(snapshot_.Renew());
  const auto nodes = WholeZone({"d1", "d2", "d3"});

  std::vector<Octets> met;
  for (auto node = snapshot_.After(Zone().generation, {}).value(); node; node = snapshot_.After(Zone().generation, met.back()).value())
    met.emplace_back(node->key);

  ASSERT_EQ(met.size(), nodes.size());
  for (std::size_t i = 0; i < met.size(); ++i) EXPECT_EQ(met[i], nodes[i].key);
}

TEST_F(ReaderTest, ASnapshotDoesNotMoveUntilItIsRenewed) {
  ASSERT_TRUE(snapshot_.Renew());
  const Generation generation = Zone().generation;

  ASSERT_TRUE(writer_->ApplyVersion(ZoneName(), At(7), At(8), {Removal("d1")}));

  EXPECT_EQ(Zone().position, At(7));
  EXPECT_TRUE(snapshot_.Find(generation, KeyOf("d1")).value()->exact);
  EXPECT_TRUE(snapshot_.Renew().value());
  EXPECT_EQ(Zone().position, At(8));
  EXPECT_FALSE(snapshot_.Find(generation, KeyOf("d1")).value()->exact);
  EXPECT_FALSE(snapshot_.Renew().value()) << "nothing was committed in between";
}

TEST_F(ReaderTest, AHeldSnapshotOutlivesTheRemovalOfItsGeneration) {
  ASSERT_TRUE(snapshot_.Renew());
  const Generation generation = Zone().generation;

  Fill(*writer_, 20, {"d9"});

  EXPECT_TRUE(snapshot_.Find(generation, KeyOf("d1")).value()->exact);
  ASSERT_TRUE(snapshot_.Renew());
  EXPECT_NE(Zone().generation, generation);
  EXPECT_TRUE(snapshot_.Find(Zone().generation, KeyOf("d9")).value()->exact);
}

TEST_F(ReaderTest, AZoneKeepsItsNumberThroughSnapshots) {
  ASSERT_TRUE(snapshot_.Renew());
  const ZoneNumber number = Zone().number;

  Fill(*writer_, 20, {"d9"});

  ASSERT_TRUE(snapshot_.Renew());
  EXPECT_EQ(Zone().number, number);
}

TEST_F(ReaderTest, ADamagedZoneRecordHidesNeitherItsZoneNorOthers) {
  const dns::Name other = dns::Name::Parse("_device.other.example.").value();
  ASSERT_TRUE(writer_->BeginSnapshot(other, At(3)));
  zone::NodeChange apex{dns::Nsec3Hash(other), false, zone::NodeChange::Data{other, {}}, {}};
  apex.denial = zone::Denial{apex.key, "rrsig"};
  ASSERT_TRUE(writer_->AddNodes(other, {apex}));
  ASSERT_TRUE(writer_->CommitSnapshot(other, {}));
  {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    Octets value(transaction.Get(Tree::kZone, ZoneName().wire()).value().value());
    value.back() = static_cast<char>(value.back() ^ 1);
    ASSERT_TRUE(transaction.Put(Tree::kZone, ZoneName().wire(), value));
    ASSERT_TRUE(transaction.Put(Tree::kZoneNumber, EncodeNumber(77), "no name"));
    ASSERT_TRUE(transaction.Commit());
  }
  ASSERT_TRUE(snapshot_.Renew());

  const auto held = snapshot_.Zones().value();

  ASSERT_EQ(held.zones.size(), 2u);
  EXPECT_EQ(held.zones[0].zone, ZoneName());
  EXPECT_FALSE(held.zones[0].record);
  EXPECT_EQ(held.zones[1].zone, other);
  EXPECT_EQ(held.zones[1].record->position, At(3));
  EXPECT_EQ(held.damages.size(), 2u);
}

TEST_F(ReaderTest, ADamagedNodeIsAnErrorAndItsNeighboursAreNot) {
  ASSERT_TRUE(snapshot_.Renew());
  const Octets key = EncodeNodeKey(Zone().generation, KeyOf("d1"));
  {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    Octets value(transaction.Get(Tree::kNode, key).value().value());
    value[20] = static_cast<char>(value[20] ^ 0x40);
    ASSERT_TRUE(transaction.Put(Tree::kNode, key, value));
    ASSERT_TRUE(transaction.Commit());
  }
  ASSERT_TRUE(snapshot_.Renew());

  const auto damaged = snapshot_.Find(Zone().generation, KeyOf("d1"));

  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().reason, Reason::kEncodingMalformed);
  EXPECT_TRUE(snapshot_.Find(Zone().generation, KeyOf("d2")).value()->exact);
}

}  // namespace
}  // namespace idzone::replica
