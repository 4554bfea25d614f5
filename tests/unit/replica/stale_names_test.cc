// SPDX-License-Identifier: MIT
#include "services/replica/stale_names.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "services/replica/reader.h"
#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

ChangedName Changed(ChangeScope scope, const std::string& name) {
  return {scope, dns::Name::Parse(name).value().wire()};
}
ChangedName TheName(const std::string& device) {
  return Changed(ChangeScope::kName, device + "._device.acme.example.");
}
std::vector<ChangedName> Sorted(std::vector<ChangedName> names) {
  std::sort(names.begin(), names.end());
  return names;
}
const ChangedName kApex = Changed(ChangeScope::kName, "_device.acme.example.");
const ChangedName kAll = Changed(ChangeScope::kBelow, "_device.acme.example.");

zone::NodeChange Data(const dns::Name& owner, dns::RrType type, const Octets& rdata, dns::DenialKind kind = dns::DenialKind::kNsec3) {
  const bool nsec3 = kind == dns::DenialKind::kNsec3;
  return {dns::DenialKeyOf(kind, owner, ZoneName()), false,
          zone::NodeChange::Data{owner, {{.type = type, .ttl = 300, .rdatas = {rdata}, .rrsigs = {"rrsig"}}}},
          zone::Denial{nsec3 ? Octets(20, '\1') : ZoneName().wire(), "denial rrsig"}};
}
zone::NodeChange Tlsa(const std::string& device, const Octets& rdata = "key") {
  return Data(dns::Name::Parse(device + "._device.acme.example.").value(), dns::RrType::kTlsa, rdata);
}

class StaleNamesTest : public ::testing::Test {
 protected:
  Changes After(std::uint64_t place) {
    Snapshot snapshot(writer_->environment());
    EXPECT_TRUE(snapshot.Renew());
    return snapshot.ChangesAfter(place).value();
  }
  /// Applies a version and returns what it says that it changed, sorted.
  std::vector<ChangedName> Apply(const std::vector<zone::NodeChange>& changes) {
    const std::uint64_t place = After(0).last;
    const auto applied = writer_->ApplyVersion(ZoneName(), At(serial_), At(serial_ + 1), changes);
    EXPECT_TRUE(applied) << applied.error().Detail();
    ++serial_;
    Changes found = After(place);
    EXPECT_FALSE(found.gap);
    return Sorted(std::move(found.names));
  }
  void FillNsec(const std::vector<dns::Name>& names) {
    ASSERT_TRUE(writer_->BeginSnapshot(ZoneName(), At(serial_), dns::DenialKind::kNsec));
    std::map<dns::DenialKey, zone::NodeChange> nodes;
    const Octets server = dns::Name::Parse("ns1.example.net.").value().wire();
    for (const dns::Name& name : names) {
      zone::NodeChange node = Data(name, name == ZoneName() ? dns::RrType::kNs : dns::RrType::kTlsa, server, dns::DenialKind::kNsec);
      nodes[node.key] = node;
    }
    std::vector<zone::NodeChange> list;
    for (auto node = nodes.begin(); node != nodes.end(); ++node) {
      const auto after = std::next(node) == nodes.end() ? nodes.begin() : std::next(node);
      node->second.denial->next = after->second.data->owner.wire();
      list.push_back(node->second);
    }
    ASSERT_TRUE(writer_->AddNodes(ZoneName(), list));
    ASSERT_TRUE(writer_->CommitSnapshot(ZoneName(), {}));
  }

  ScratchDirectory directory_;
  std::unique_ptr<ReplicaWriter> writer_ = OpenWriter(directory_);
  dns::Serial serial_ = 7;
};

TEST_F(StaleNamesTest, NamesThatCameChangedOrWentAndTheApexAreListedAndNoOthers) {
  Fill(*writer_, 7, {"d1", "d2", "d3"});

  EXPECT_EQ(Apply({Tlsa("d4"), Tlsa("d1", "other"), Removal("d2"), DenialOnly("d3", "new")}),
            Sorted({kApex, TheName("d1"), TheName("d2"), TheName("d4")}));
  EXPECT_EQ(Apply({DenialOnly("d3", "newer")}), std::vector{kApex});
}

TEST_F(StaleNamesTest, AnEmptyNonTerminalOfAnNsec3ZoneIsANodeLikeAnother) {
  Fill(*writer_, 7, {"d1"});
  zone::NodeChange empty = Tlsa("e");
  empty.data->rrsets.clear();

  EXPECT_EQ(Apply({Tlsa("d.e"), empty}), Sorted({kApex, TheName("e"), TheName("d.e")}));
}

TEST_F(StaleNamesTest, InAnNsecZoneNamesAboveTheNewOneAreListed) {
  FillNsec({ZoneName(), dns::Name::Parse("d1._device.acme.example.").value()});
  const dns::Name owner = dns::Name::Parse("d.e.f._device.acme.example.").value();

  EXPECT_EQ(Apply({Data(owner, dns::RrType::kTlsa, "key", dns::DenialKind::kNsec)}),
            Sorted({kApex, TheName("f"), TheName("e.f"), TheName("d.e.f")}));
  EXPECT_EQ(Apply({Data(owner, dns::RrType::kTlsa, "other", dns::DenialKind::kNsec)}), Sorted({kApex, TheName("d.e.f")}));
}

TEST_F(StaleNamesTest, AWildcardReachesAllBesideIt) {
  Fill(*writer_, 7, {"d1"});

  EXPECT_EQ(Apply({Tlsa("*")}), std::vector{kAll});
  EXPECT_EQ(Apply({Tlsa("*", "other")}), Sorted({kApex, kAll}));
  EXPECT_EQ(Apply({Removal("*")}), Sorted({kApex, kAll}));
}

TEST_F(StaleNamesTest, WhereThereIsAWildcardANameThatComesOrGoesReachesTheWholeZone) {
  Fill(*writer_, 7, {"d1", "*"});

  EXPECT_EQ(Apply({Tlsa("d2")}), std::vector{kAll});
  EXPECT_EQ(Apply({Tlsa("d2", "other")}), Sorted({kApex, TheName("d2")}));
  EXPECT_EQ(Apply({Removal("d2")}), std::vector{kAll});
}

TEST_F(StaleNamesTest, ACutReachesAllBelowIt) {
  Fill(*writer_, 7, {"d1"});
  const dns::Name cut = ZoneName().Prepend("cut").value();
  const ChangedName below{ChangeScope::kBelow, cut.wire()};

  EXPECT_EQ(Apply({Data(cut, dns::RrType::kNs, "server")}), Sorted({kApex, below}));
  EXPECT_EQ(Apply({Removal("cut")}), Sorted({kApex, below}));
}

TEST_F(StaleNamesTest, ZonesThatAreMadeReplacedOrRemovedAreListed) {
  const ChangedName zone = Changed(ChangeScope::kZone, "_device.acme.example.");

  Fill(*writer_, 7, {"d1"});
  EXPECT_EQ(After(0).names, std::vector{zone});
  Fill(*writer_, 8, {"d1"});
  EXPECT_EQ(After(1).names, std::vector{zone});
  ASSERT_TRUE(writer_->RemoveZone(ZoneName()));
  EXPECT_EQ(After(2).names, std::vector{zone});
}

TEST_F(StaleNamesTest, TooManyNamesAreTheWholeZone) {
  Fill(*writer_, 7, {"d1"});
  std::vector<zone::NodeChange> changes;
  for (std::size_t i = 0; i <= StaleNames::kNamesMax; ++i) changes.push_back(Tlsa("n" + std::to_string(i)));

  EXPECT_EQ(Apply(changes), std::vector{kAll});
}

TEST_F(StaleNamesTest, ALongListIsReadWhole) {
  Fill(*writer_, 7, {"d1"});
  std::vector<zone::NodeChange> changes;
  for (std::size_t i = 0; i < 1000; ++i) changes.push_back(Tlsa("n" + std::to_string(i)));

  EXPECT_EQ(Apply(changes).size(), 1001u);
  EXPECT_GT(CountOf(writer_->environment(), Tree::kChange), 10u) << "in entries of less than half a page";
}

TEST_F(StaleNamesTest, TheListIsBoundedAndWhoWasAwayTooLongSeesAGap) {
  for (int i = 0; i < 50; ++i) {
    auto transaction = WriteTransaction::Begin(writer_->environment()).value();
    for (int j = 0; j < 100; ++j) ASSERT_TRUE(AppendChanges(transaction, {kApex}));
    ASSERT_TRUE(transaction.Commit());
  }

  EXPECT_EQ(CountOf(writer_->environment(), Tree::kChange), 4096u);
  EXPECT_TRUE(After(5000 - 4097).gap);
  EXPECT_FALSE(After(5000 - 4096).gap);
  EXPECT_EQ(After(5000 - 4096).names.size(), 4096u);
  EXPECT_EQ(After(5000).last, 5000u);
  EXPECT_TRUE(After(5000).names.empty());
}

TEST_F(StaleNamesTest, ADamagedEntryIsAGap) {
  Fill(*writer_, 7, {"d1"});
  Apply({Tlsa("d2")});
  auto transaction = WriteTransaction::Begin(writer_->environment()).value();
  Octets value(transaction.Get(Tree::kChange, EncodeSequence(2)).value().value());
  value.back() ^= 1;
  ASSERT_TRUE(transaction.Put(Tree::kChange, EncodeSequence(2), value));
  ASSERT_TRUE(transaction.Commit());

  EXPECT_TRUE(After(1).gap);
  EXPECT_EQ(After(1).last, 2u) << "it is met once";
}

/// Made by hand from FORMAT.md.
TEST_F(StaleNamesTest, AnEntryIsWrittenAsItIsDocumented) {
  const std::vector<ChangedName> names{Changed(ChangeScope::kName, "x.a."), Changed(ChangeScope::kZone, "a.")};
  const Octets key = EncodeSequence(258);

  EXPECT_EQ(HexEncode(key), "0000000000000102");
  EXPECT_EQ(HexEncode(EncodeChangedNames(key, names).substr(8)),
            "0105"
            "0178016100"
            "0303"
            "016100");
  EXPECT_EQ(DecodeChangedNames(key, EncodeChangedNames(key, names)), names);
  EXPECT_FALSE(DecodeChangedNames(EncodeSequence(259), EncodeChangedNames(key, names)));
}

}  // namespace
}  // namespace idzone::replica
