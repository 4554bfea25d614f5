// SPDX-License-Identifier: MIT
#include "services/replica/writer.h"

#include <gtest/gtest.h>

#include "services/replica/reader.h"
#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

class WriterTest : public ::testing::Test {
 protected:
  void Reopen() {
    writer_.reset();
    writer_ = OpenWriter(directory_);
  }
  dns::Serial serial() const { return writer_->FindZone(ZoneName()).value()->position.serial; }
  bool Has(const std::string& device) const { return writer_->ReadNode(ZoneName(), KeyOf(device)).value().has_value(); }

  ScratchDirectory directory_;
  std::unique_ptr<ReplicaWriter> writer_ = OpenWriter(directory_);
};

TEST_F(WriterTest, ASnapshotSurvivesReopening) {
  Fill(*writer_, 7, {"d1", "d2"});

  Reopen();

  ASSERT_EQ(writer_->Zones()->size(), 1u);
  EXPECT_EQ(writer_->Zones()->front().position, At(7));
  EXPECT_TRUE(Has("d1"));
  EXPECT_FALSE(Has("d3"));
}

TEST_F(WriterTest, AVersionMovesDataAndPositionTogether) {
  Fill(*writer_, 7, {"d1", "d2"});
  const zone::NodeChange denial_only = DenialOnly("d1", "new");
  const zone::NodeChange removed = Removal("d2");

  ASSERT_TRUE(writer_->ApplyVersion(ZoneName(), At(7), At(8), {denial_only, removed}));
  Reopen();

  EXPECT_EQ(serial(), 8u);
  EXPECT_FALSE(Has("d2"));
  const auto node = writer_->ReadNode(ZoneName(), KeyOf("d1")).value();
  ASSERT_TRUE(node);
  EXPECT_EQ(node->denial.rrsig, "new");
  EXPECT_EQ(node->rrsets.size(), 1u) << "what a change does not speak of stays";
}

TEST_F(WriterTest, AVersionThatFollowsAnotherIsRefused) {
  Fill(*writer_, 7, {"d1"});
  zone::ZonePosition other_digest = At(7);
  other_digest.digest = Sha256("another history");
  zone::ZonePosition other_epoch = At(7);
  other_epoch.epoch = 2;
  const std::vector<zone::NodeChange> changes{Removal("d1")};

  for (const zone::ZonePosition& previous : {At(6), At(8), other_digest, other_epoch}) {
    const auto applied = writer_->ApplyVersion(ZoneName(), previous, At(9), changes);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().reason, Reason::kDigestMismatch);
  }

  EXPECT_EQ(serial(), 7u);
  EXPECT_TRUE(Has("d1"));
}

TEST_F(WriterTest, AChangeOfAnAbsentNodeLeavesEverythingAsItWas) {
  Fill(*writer_, 7, {"d1"});
  const zone::NodeChange good = Removal("d1");
  const zone::NodeChange gone = Removal("absent");
  const zone::NodeChange half = DenialOnly("absent", "x");

  for (const zone::NodeChange& bad : {gone, half}) {
    const auto applied = writer_->ApplyVersion(ZoneName(), At(7), At(8), {good, bad});
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().reason, Reason::kVersionGap);
  }

  EXPECT_EQ(serial(), 7u);
  EXPECT_TRUE(Has("d1"));
}

TEST_F(WriterTest, AVersionOfAZoneThatIsNotHeldIsRefused) {
  const auto applied = writer_->ApplyVersion(ZoneName(), {}, At(1), {});

  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().reason, Reason::kDigestMismatch);
}

TEST_F(WriterTest, AnInterruptedSnapshotIsInvisibleAndRemovedAtOpen) {
  Fill(*writer_, 7, {"d1"});
  const std::size_t before = CountOf(writer_->environment(), Tree::kNode);
  ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(9)));
  ASSERT_TRUE(writer_->AddNodes(ZoneName(), WholeZone({"d1", "d2", "d3"})));
  ASSERT_GT(CountOf(writer_->environment(), Tree::kNode), before);
  EXPECT_EQ(serial(), 7u);
  EXPECT_FALSE(Has("d2"));

  Reopen();

  EXPECT_EQ(CountOf(writer_->environment(), Tree::kNode), before);
  EXPECT_EQ(CountOf(writer_->environment(), Tree::kGeneration), 1u);
  EXPECT_EQ(serial(), 7u);
}

TEST_F(WriterTest, ASnapshotReplacesTheZoneAndRemovesTheOldGeneration) {
  Fill(*writer_, 7, {"d1", "d2"});

  Fill(*writer_, 20, {"d3"});

  EXPECT_EQ(serial(), 20u);
  EXPECT_TRUE(Has("d3"));
  EXPECT_FALSE(Has("d1"));
  EXPECT_EQ(CountOf(writer_->environment(), Tree::kNode), 2u);
  EXPECT_EQ(CountOf(writer_->environment(), Tree::kGeneration), 1u);
}

TEST_F(WriterTest, ATornSnapshotIsRefused) {
  const auto nodes = WholeZone({"d1", "d2", "d3"});
  for (std::size_t missing = 0; missing < nodes.size(); ++missing) {
    auto torn = nodes;
    torn.erase(torn.begin() + static_cast<std::ptrdiff_t>(missing));
    ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(7)));
    const auto added = writer_->AddNodes(ZoneName(), torn);
    const auto committed = added ? writer_->CommitSnapshot(ZoneName(), {}) : added;
    ASSERT_FALSE(committed) << "without node " << missing;
    EXPECT_EQ(committed.error().reason, Reason::kVersionGap);
  }
  EXPECT_FALSE(writer_->FindZone(ZoneName())->has_value());
}

TEST_F(WriterTest, ASnapshotWithoutPartsOrBeginningIsRefused) {
  EXPECT_FALSE(writer_->AddNodes(ZoneName(), WholeZone({"d1"})));
  EXPECT_FALSE(writer_->CommitSnapshot(ZoneName(), {}));
  auto nodes = WholeZone({"d1"});
  nodes.back().data.reset();
  ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(7)));
  EXPECT_FALSE(writer_->AddNodes(ZoneName(), nodes));
  EXPECT_FALSE(writer_->CommitSnapshot(ZoneName(), {}));
}

TEST_F(WriterTest, PinsAreKeptThroughSnapshotsAndNeedNoZone) {
  ASSERT_TRUE(writer_->SetPins(ZoneName(), {"key"}));
  EXPECT_EQ(writer_->FindZone(ZoneName()).value()->pins, std::vector<Octets>{"key"});
  EXPECT_TRUE(writer_->FindZone(ZoneName()).value()->position.digest.empty());

  Fill(*writer_, 7, {"d1"});
  Reopen();

  EXPECT_EQ(writer_->FindZone(ZoneName()).value()->pins, std::vector<Octets>{"key"});
  EXPECT_EQ(writer_->Zones()->size(), 1u);
}

TEST_F(WriterTest, ARemovedZoneLeavesNothing) {
  Fill(*writer_, 7, {"d1"});
  ASSERT_TRUE(writer_->SetPins(ZoneName(), {"key"}));
  ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(8)));

  ASSERT_TRUE(writer_->RemoveZone(ZoneName()));

  for (const Tree tree : {Tree::kZone, Tree::kZoneNumber, Tree::kPin, Tree::kGeneration, Tree::kNode})
    EXPECT_EQ(CountOf(writer_->environment(), tree), 0u);
  EXPECT_FALSE(writer_->CommitSnapshot(ZoneName(), {}));
}

TEST_F(WriterTest, AFullMapIsALimitAndChangesNothing) {
  ScratchDirectory small;
  auto writer = ReplicaWriter::Open(small.path(), std::size_t{256} << 10).value();
  Fill(*writer, 7, {"d1"});
  std::vector<std::string> devices;
  for (int i = 0; i < 3000; ++i) devices.push_back("d" + std::to_string(i));

  ASSERT_TRUE(writer->BeginSnapshot(ZoneName(), At(8)));
  const auto added = writer->AddNodes(ZoneName(), WholeZone(devices));

  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().reason, Reason::kLimitExceeded);
  ASSERT_TRUE(writer->AbandonSnapshot(ZoneName()));
  EXPECT_EQ(writer->FindZone(ZoneName()).value()->position, At(7));
}

TEST_F(WriterTest, AnotherFormatVersionIsRefused) {
  {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    ASSERT_TRUE(transaction.Put(Tree::kMeta, "format", EncodeNumber(kFormatVersion + 1)));
    ASSERT_TRUE(transaction.Commit());
  }
  writer_.reset();

  const auto opened = ReplicaWriter::Open(directory_.path(), kMapOctets);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kSchemaMismatch);
}

/// Nodes of an NSEC zone: apex, a, b.a, whose keys ascend in this order.
std::vector<zone::NodeChange> NsecZone() {
  const dns::Name a = ZoneName().Prepend("a").value();
  const std::vector<dns::Name> names = {ZoneName(), a, a.Prepend("b").value()};
  std::vector<zone::NodeChange> nodes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    zone::NodeChange node{dns::CanonicalKey(names[i], ZoneName()), false, zone::NodeChange::Data{names[i], {}}, {}};
    node.denial = zone::Denial{names[(i + 1) % names.size()].wire(), "rrsig"};
    nodes.push_back(std::move(node));
  }
  return nodes;
}

TEST_F(WriterTest, AnNsecZoneFollowsItsChainOfNames) {
  ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(7), dns::DenialKind::kNsec));
  ASSERT_TRUE(writer_->AddNodes(ZoneName(), NsecZone()));
  ASSERT_TRUE(writer_->CommitSnapshot(ZoneName(), {}));

  Snapshot snapshot(writer_->environment());
  ASSERT_TRUE(snapshot.Renew());
  const ZoneRecord record = snapshot.FindZone(ZoneName().wire()).value().value();
  EXPECT_EQ(record.denial, dns::DenialKind::kNsec);
  const auto place = snapshot.Find(record.generation, Octets("\0aa\0", 4)).value();
  ASSERT_TRUE(place);
  EXPECT_EQ(place->node.owner, NsecZone().back().data->owner.wire());
}

TEST_F(WriterTest, AnNsecZoneWithAHoleOrAForeignNextNameIsTorn) {
  for (const dns::Name& next :
       {ZoneName().Prepend("other").value(), dns::Name::Parse("elsewhere.").value(), ZoneName().Prepend(Octets("a\0", 2)).value()}) {
    std::vector<zone::NodeChange> nodes = NsecZone();
    nodes[0].denial->next = next.wire();
    ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(7), dns::DenialKind::kNsec));

    const auto added = writer_->AddNodes(ZoneName(), nodes);

    ASSERT_FALSE(added) << next.Format();
    EXPECT_EQ(added.error().reason, Reason::kVersionGap);
  }
}

}  // namespace
}  // namespace idzone::replica
