// SPDX-License-Identifier: MIT
// A replica that an edge once had, as mdb_dump wrote it: what says version 3 stays readable, and is written in the same way. Whoever has to
// change these octets changes kFormatVersion, keeps this dump for as long as the version is read, and adds one of the new version.
#include <gtest/gtest.h>

#include <sstream>

#include "services/core/dns/denial.h"
#include "services/replica/inspection.h"
#include "services/replica/reader.h"
#include "tests/unit/core/golden.h"
#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

/// Two zones and the first one's sixteen cuts (NSEC3, P-256), and a zone with NSEC and Ed25519; two devices and two users.
constexpr char kDump[] = "replica/version3.dump";
constexpr std::uint64_t kNodes = 38;

struct Known {
  const char* zone;
  const char* owner;
  const char* tlsa;  // 3 1 1 of the certificate that was enrolled, by Python's cryptography
};
constexpr Known kKnown[] = {
    {"9._device.frozen.example.", "dev000000.9._device.frozen.example.",
     "0301014467a8fa954db56ed7e09e4a559f89487f0514c7b0a0fb87dd62efb81a4d506a"},
    {"c._device.frozen.example.", "dev000001.c._device.frozen.example.",
     "030101359fe29fcc4ee2b41fee534a2994396173b77d30ad49f69f3fd5394c9600802c"},
    {"_user.frozen.example.", "dev000002._user.frozen.example.", "030101f2b0c1d8bbe9dcd8208666bd5ae2fce5ca2e3061289ce20a63c6e8bbc4efbbc9"},
    {"_user.frozen.example.", "dev000003._user.frozen.example.", "030101fba7988df395d21d89dfcc848c5e106bd067f8d50af7bdd8ce750baf4c4f9701"},
};

struct Entry {
  std::string tree;
  Octets key;
  Octets value;
};

/// Reads what `mdb_dump -a` writes: a header for each tree, and behind it key and value, a line each, in hexadecimal.
std::vector<Entry> ReadDump() {
  std::vector<Entry> entries;
  std::istringstream lines(testing::Golden(kDump));
  std::string tree;
  for (std::string line, value; std::getline(lines, line);) {
    constexpr std::string_view kTree = "database=";
    if (line.starts_with(kTree)) tree = line.substr(kTree.size());
    if (!line.starts_with(' ') || !std::getline(lines, value)) continue;
    entries.push_back({tree, HexDecode(line.substr(1), "key").value(), HexDecode(value.substr(1), "value").value()});
  }
  return entries;
}

Tree TreeOf(const std::string& name) {
  static const std::map<std::string, Tree> trees{{kMetaTree, Tree::kMeta},
                                                 {kZoneTree, Tree::kZone},
                                                 {kZoneNumberTree, Tree::kZoneNumber},
                                                 {kPinTree, Tree::kPin},
                                                 {kGenerationTree, Tree::kGeneration},
                                                 {kNodeTree, Tree::kNode},
                                                 {kChangeTree, Tree::kChange}};
  return trees.at(name);
}

class FrozenDumpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto environment = Environment::OpenForWriting(directory_.path(), kMapOctets).value();
    auto transaction = WriteTransaction::Begin(environment).value();
    for (const Entry& entry : entries_) ASSERT_TRUE(transaction.Put(TreeOf(entry.tree), entry.key, entry.value));
    ASSERT_TRUE(transaction.Commit());
    environment_ = std::move(environment);
  }

  const std::vector<Entry> entries_ = ReadDump();
  const ScratchDirectory directory_;
  std::shared_ptr<Environment> environment_;
};

TEST_F(FrozenDumpTest, IsWhole) {
  ReadTransaction transaction(environment_);
  ASSERT_TRUE(transaction.Renew());

  EXPECT_EQ(Inspect(transaction).value(), kNodes);

  const auto remembered = Remember(transaction);
  EXPECT_EQ(remembered.size(), 18u);
  EXPECT_EQ(std::count_if(remembered.begin(), remembered.end(), [](const Remembered& zone) { return !zone.pins.empty(); }), 2);
}

TEST_F(FrozenDumpTest, ServesWhatWasEnrolled) {
  Snapshot snapshot(environment_);
  ASSERT_TRUE(snapshot.Renew());
  for (const Known& known : kKnown) {
    const auto zone = dns::Name::Parse(known.zone).value(), owner = dns::Name::Parse(known.owner).value();
    const auto record = snapshot.FindZone(zone.wire()).value();
    ASSERT_TRUE(record) << known.zone;

    const auto place = snapshot.Find(record->generation, dns::DenialKeyOf(record->denial, owner, zone)).value();

    ASSERT_TRUE(place && place->exact) << known.owner;
    const RrSetView* tlsa = place->node.Find(dns::RrType::kTlsa);
    ASSERT_NE(tlsa, nullptr) << known.owner;
    EXPECT_EQ(HexEncode(tlsa->rdatas.at(0)), known.tlsa);
    EXPECT_EQ(tlsa->rrsigs.size(), 1u);
  }
}

TEST_F(FrozenDumpTest, IsWrittenInTheSameWay) {
  std::map<std::string, int> compared;
  for (const auto& [tree, key, value] : entries_) {
    ++compared[tree];
    if (tree == kNodeTree) {
      EXPECT_EQ(EncodeNode(key, ToNode(DecodeNode(key, value).value()).value()), value);
    } else if (tree == kZoneTree) {
      EXPECT_EQ(EncodeZoneRecord(key, DecodeZoneRecord(key, value).value()), value);
    } else if (tree == kPinTree) {
      EXPECT_EQ(EncodePins(key, DecodePins(key, value).value()), value);
    } else if (tree == kChangeTree) {
      EXPECT_EQ(EncodeChangedNames(key, DecodeChangedNames(key, value).value()), value);
      EXPECT_EQ(EncodeSequence(DecodeSequence(key).value()), key);
    } else if (tree == kZoneNumberTree) {
      EXPECT_EQ(EncodeNumber(DecodeNumber(key, "number").value()), key);
    } else if (tree == kMetaTree && key == "format") {
      EXPECT_EQ(DecodeNumber(value, "format").value(), 3u);
    }
  }
  EXPECT_EQ(compared[kNodeTree], static_cast<int>(kNodes));
  EXPECT_EQ(compared.size(), kTreeCount) << "each tree has entries";
}

}  // namespace
}  // namespace idzone::replica
