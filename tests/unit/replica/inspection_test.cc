// SPDX-License-Identifier: MIT
#include "services/replica/inspection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

/// A whole replica of a few nodes, and ways to spoil single entries of it.
class InspectionTest : public testing::Test {
 protected:
  InspectionTest() : writer_(OpenWriter(directory_)) {
    Fill(*writer_, 7, {"one", "two", "three"});
    IDZONE_INVARIANT(writer_->SetPins(ZoneName(), {"pin one", "pin two"}), "pins are kept");
  }

  Result<std::uint64_t> Inspected() {
    ReadTransaction transaction(writer_->environment());
    if (auto renewed = transaction.Renew(); !renewed) return tl::unexpected(renewed.error());
    return Inspect(transaction);
  }
  std::vector<Remembered> Known() {
    ReadTransaction transaction(writer_->environment());
    IDZONE_INVARIANT(transaction.Renew(), "a snapshot can be taken");
    return Remember(transaction);
  }
  /// Replaces an entry; an empty value removes it.
  void Spoil(Tree tree, OctetsView key, OctetsView value) {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    if (value.empty()) {
      IDZONE_INVARIANT(transaction.Remove(tree, key).value(), "what is removed is there");
    } else {
      IDZONE_INVARIANT(transaction.Put(tree, key, value), "it is put");
    }
    IDZONE_INVARIANT(transaction.Commit(), "it is committed");
  }
  Octets ValueOf(Tree tree, OctetsView key) {
    ReadTransaction transaction(writer_->environment());
    IDZONE_INVARIANT(transaction.Renew(), "a snapshot can be taken");
    return Octets(transaction.Get(tree, key).value().value());
  }
  void ExpectDamage(const std::string& part) {
    const auto inspected = Inspected();
    ASSERT_FALSE(inspected);
    EXPECT_NE(inspected.error().Detail().find(part), std::string::npos) << inspected.error().Detail();
  }
  Octets NodeKey(const std::string& device) {
    return EncodeNodeKey(DecodeZoneRecord(ZoneName().wire(), ValueOf(Tree::kZone, ZoneName().wire())).value().generation, KeyOf(device));
  }

  const ScratchDirectory directory_;
  const std::unique_ptr<ReplicaWriter> writer_;
};

TEST_F(InspectionTest, AWholeReplicaIsWholeAlsoAfterManyVersions) {
  EXPECT_EQ(Inspected().value(), 4u);

  for (dns::Serial serial = 8; serial < 40; ++serial) {
    zone::NodeChange change = WholeZone({"one", "two", "three"}).front();
    change.denial.reset();
    ASSERT_TRUE(writer_->ApplyVersion(ZoneName(), At(serial - 1), At(serial), {change}));
  }
  Fill(*writer_, 40, {"one", "two"});

  EXPECT_EQ(Inspected().value(), 3u);
}

TEST_F(InspectionTest, ASnapshotUnderWayIsNoDamage) {
  ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(8)));
  ASSERT_TRUE(writer_->AddNodes(ZoneName(), {WholeZone({"one", "two"}).front()}));

  EXPECT_EQ(Inspected().value(), 4u);
}

TEST_F(InspectionTest, AnEmptyReplicaIsWhole) {
  ASSERT_TRUE(writer_->RemoveZone(ZoneName()));

  EXPECT_EQ(Inspected().value(), 0u);
}

TEST_F(InspectionTest, AFlippedBitOfAnyValueIsFound) {
  const Octets node = NodeKey("two");
  for (const auto& [tree, key] : {std::pair<Tree, Octets>(Tree::kNode, node), std::pair<Tree, Octets>(Tree::kZone, ZoneName().wire())}) {
    const Octets value = ValueOf(tree, key);
    for (const std::size_t at : {std::size_t{0}, std::size_t{9}, value.size() - 1}) {
      Octets flipped = value;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      Spoil(tree, key, flipped);
      ExpectDamage("checksum");
    }
    Spoil(tree, key, value);
    EXPECT_TRUE(Inspected());
  }
}

TEST_F(InspectionTest, AMissingNodeIsAHoleInTheChain) {
  Spoil(Tree::kNode, NodeKey("two"), {});

  const auto inspected = Inspected();

  ASSERT_FALSE(inspected);
  EXPECT_TRUE(inspected.error().Detail().find("chain") != std::string::npos || inspected.error().Detail().find("apex") != std::string::npos)
      << inspected.error().Detail();
}

/// Of each page of LMDB that leads to others, raises the key from which on the second of them is looked in; returns how many pages that
/// was.
int MisleadSearches(const std::string& directory) {
  constexpr std::size_t kPage = 4096;
  const int file = open((directory + "/data.mdb").c_str(), O_RDWR);
  struct stat status = {};
  fstat(file, &status);
  int misled = 0;
  for (off_t at = 2 * kPage; at < status.st_size; at += kPage) {
    char page[kPage];
    // Its number, two unused octets, flags (1: leads to others), where its list of places ends, where its entries begin; then the places.
    std::uint16_t head[6] = {};
    if (pread(file, page, kPage, at) != static_cast<ssize_t>(kPage)) break;
    std::memcpy(head, page + 8, sizeof(head));
    const bool leads = head[1] == 1 && head[2] >= 20 && head[2] < head[3];
    if (!leads || head[5] + 32 > static_cast<int>(kPage)) continue;
    page[head[5] + 8 + 4] = '\xff';  // behind the entry's own head and a generation
    misled += pwrite(file, page, kPage, at) == static_cast<ssize_t>(kPage) ? 1 : 0;
  }
  close(file);
  return misled;
}

TEST_F(InspectionTest, NodesThatAreThereAndNotFoundByTheirKeysAreDamage) {
  std::vector<std::string> devices;
  for (int i = 0; i < 200; ++i) devices.push_back("device" + std::to_string(i));
  Fill(*writer_, 8, devices);
  ASSERT_TRUE(Inspected());

  ASSERT_GT(MisleadSearches(directory_.path()), 0);

  ExpectDamage("found by its key");
}

TEST_F(InspectionTest, AZoneWithoutNumberGenerationOrNodesIsDamage) {
  const ZoneRecord record = DecodeZoneRecord(ZoneName().wire(), ValueOf(Tree::kZone, ZoneName().wire())).value();
  const Octets number = EncodeNumber(record.number);
  const Octets generation = EncodeNumber(record.generation);

  Spoil(Tree::kZoneNumber, number, {});
  ExpectDamage("zone numbers");
  Spoil(Tree::kZoneNumber, number, dns::Name::Parse("else.").value().wire());
  ExpectDamage("the zone that has it");
  Spoil(Tree::kZoneNumber, number, ZoneName().wire());

  Spoil(Tree::kGeneration, generation, "\x01");
  ExpectDamage("live");
  Spoil(Tree::kGeneration, generation, "\x09");
  ExpectDamage("state");
  Spoil(Tree::kGeneration, generation, "\x02");
  EXPECT_TRUE(Inspected());

  for (const std::string device : {"one", "two", "three"}) Spoil(Tree::kNode, NodeKey(device), {});
  Spoil(Tree::kNode, EncodeNodeKey(record.generation, dns::Nsec3Hash(ZoneName())), {});
  ExpectDamage("nodes of 1 zones");
}

TEST_F(InspectionTest, WhatAZoneHadIsRememberedAndTravelsAsText) {
  const std::vector<Remembered> known = Known();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known[0], (Remembered{ZoneName(), At(7), {"pin one", "pin two"}}));

  const Findings whole = ParseFindings(FormatRemembered(known) + FormatVerdict(Inspected()));
  EXPECT_EQ(whole.remembered, known);
  EXPECT_EQ(whole.nodes, 4u);
  EXPECT_FALSE(whole.damage);

  const Findings damaged = ParseFindings(FormatRemembered(known) + FormatVerdict(Fail(Reason::kInternal, "a", "b", "c")));
  EXPECT_EQ(damaged.remembered, known);
  ASSERT_TRUE(damaged.damage);
  EXPECT_NE(damaged.damage->met.find("a: expected b, met c"), std::string::npos);
}

TEST_F(InspectionTest, TextThatBreaksOffIsDamage) {
  const std::string text = FormatRemembered(Known()) + FormatVerdict(4);
  for (std::size_t length = 0; length < text.size(); ++length) EXPECT_TRUE(ParseFindings(text.substr(0, length)).damage) << length;
  EXPECT_TRUE(ParseFindings("remembered xx yy\nnonsense\n").damage);
}

}  // namespace
}  // namespace idzone::replica
