// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/published_store.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

using dns::DenialKind;

const dns::Name kApex = dns::Name::Parse("_device.acme.example.").value();
const dns::Name kChild = dns::Name::Parse("7f._device.acme.example.").value();

/// A young zone of either kind, without statistics, as the signer's own session sees it.
class PublishedNodeTest : public testing::TestWithParam<DenialKind> {
 protected:
  PublishedNodeTest() {
    Database provisiond({.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test"});
    NamespaceRecord home = ValidNamespace();
    home.name = kApex;
    home.denial = GetParam();
    EXPECT_TRUE(CreateNamespace(provisiond, TestActor(), home));
    Run([&](Transaction& transaction) -> Result<void> {
      const auto work = ListZoneWork(transaction).value();
      ZoneRow zone;
      zone.name = kApex;
      zone.position = {1, 1, Octets(32, '\0')};
      zone.node_count = 1;
      InsertZones(transaction, work.front().registered, {&zone});
      zone_id_ = zone.zone_id;
      zone.name = kChild;
      zone.parent_id = zone_id_;
      InsertZones(transaction, work.front().registered, {&zone});
      child_id_ = zone.zone_id;
      return {};
    });
  }

  template <typename Body>
  void Run(Body body) {
    const Result<void> ran = database_.Transact("test", body);
    ASSERT_TRUE(ran) << ran.error().Detail();
  }

  NodeRow Node(const dns::Name& owner) const {
    return {zone_id_,
            dns::DenialKeyOf(GetParam(), owner, kApex),
            owner,
            0,
            {{dns::RrType::kTlsa, 300, {Octets("\3\1\1", 3) + Octets(32, 'k')}, {"s"}}},
            {kApex.wire(), "d"},
            {}};
  }
  /// Inserts names, and returns them by key.
  std::map<dns::DenialKey, NodeRow> Insert(int count) {
    std::map<dns::DenialKey, NodeRow> nodes;
    for (int i = 0; i < count; ++i) {
      NodeRow node = Node(kApex.Prepend("dev" + std::to_string(i)).value());
      nodes.emplace(node.key, node);
    }
    std::vector<const NodeRow*> rows;
    for (const auto& [key, node] : nodes) rows.push_back(&node);
    Run([&](Transaction& transaction) -> Result<void> {
      InsertNodes(transaction, rows);
      return {};
    });
    return nodes;
  }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_signerd"), .application_name = "test", .settings = SignerSessionSettings()}};
  std::int32_t zone_id_ = 0;
  std::int32_t child_id_ = 0;
};

TEST_P(PublishedNodeTest, TheSweepMeetsEachNodeOnceInTheOrderOfItsPlaces) {
  const auto nodes = Insert(100);
  std::vector<Octets> places;
  std::vector<dns::DenialKey> met;

  Octets after;
  for (int step = 0; step < 30; ++step) {
    Run([&](Transaction& transaction) -> Result<void> {
      auto rows = LoadSweepRange(transaction, zone_id_, GetParam(), {after, Octets(20, '\xff'), 7});
      if (!rows) return tl::unexpected(rows.error());
      for (const NodeRow& row : *rows) {
        places.push_back(SweepPlaceOf(GetParam(), row));
        met.push_back(row.key);
      }
      return {};
    });
    if (!places.empty()) after = places.back();
  }

  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  std::sort(met.begin(), met.end());
  std::vector<dns::DenialKey> all;
  for (const auto& [key, node] : nodes) all.push_back(key);
  EXPECT_EQ(met, all);
}

TEST_P(PublishedNodeTest, TheSweepsPartsEndWhereTheyShould) {
  const auto nodes = Insert(100);
  const Octets middle(20, '\x80');

  std::size_t below = 0;
  for (const auto& [key, node] : nodes) below += SweepPlaceOf(GetParam(), node) <= middle ? 1 : 0;
  Run([&](Transaction& transaction) -> Result<void> {
    const auto first = LoadSweepRange(transaction, zone_id_, GetParam(), {Octets(), middle, 1000});
    const auto second = LoadSweepRange(transaction, zone_id_, GetParam(), {middle, Octets(20, '\xff'), 1000});
    EXPECT_EQ(first.value().size(), below);
    EXPECT_EQ(second.value().size(), 100 - below);
    return {};
  });
}

TEST_P(PublishedNodeTest, PredecessorsFollowTheOrderOfTheKeysAroundTheCircle) {
  const auto nodes = Insert(20);
  const auto key_before = [&](const dns::DenialKey& key) {
    const auto place = nodes.lower_bound(key);
    return place == nodes.begin() ? std::prev(nodes.end())->first : std::prev(place)->first;
  };

  for (const char* label : {"a", "dev1a", "dev5", "zz", "x.y"}) {
    const dns::Name name = dns::Name::Parse(std::string(label) + "." + kApex.Format()).value();
    const dns::DenialKey key = dns::DenialKeyOf(GetParam(), name, kApex);
    Run([&](Transaction& transaction) -> Result<void> {
      const auto found = LoadPredecessors(transaction, {{zone_id_, key}}).value();
      EXPECT_EQ(found.size(), 1u);
      EXPECT_EQ(HexEncode(found.front().key), HexEncode(key_before(key))) << label;
      EXPECT_EQ(found.front().next, kApex.wire());
      return {};
    });
  }
}

TEST_P(PublishedNodeTest, OneStatementServesManyZonesAndMixesNone) {
  const auto nodes = Insert(20);
  NodeRow other = nodes.begin()->second;
  other.zone_id = child_id_;
  other.child_count = 5;
  const dns::DenialKey first = nodes.begin()->first;
  const dns::DenialKey last = nodes.rbegin()->first;

  Run([&](Transaction& transaction) -> Result<void> {
    InsertNodes(transaction, {&other});
    const auto loaded = LoadNodes(transaction, {{zone_id_, first}, {child_id_, first}, {child_id_, last}}).value();
    EXPECT_EQ(loaded.size(), 2u);
    for (const NodeRow& node : loaded) EXPECT_EQ(node.child_count, node.zone_id == child_id_ ? 5 : 0);
    // Before the first node of each zone stands its own last one.
    const auto before = LoadPredecessors(transaction, {{zone_id_, first}, {child_id_, first}, {child_id_, last}}).value();
    EXPECT_EQ(before.size(), 2u);
    for (const ChainRow& row : before) EXPECT_EQ(HexEncode(row.key), HexEncode(row.zone_id == child_id_ ? first : last));
    DeleteNodes(transaction, {{child_id_, first}});
    EXPECT_EQ(LoadNodes(transaction, {{zone_id_, first}, {child_id_, first}}).value().size(), 1u);
    return {};
  });
}

TEST_P(PublishedNodeTest, SurroundingsAreWhatIsThereOrStandsBefore) {
  const auto nodes = Insert(20);
  const dns::DenialKey there = std::next(nodes.begin(), 7)->first;
  const dns::DenialKey behind = there + '\0';
  const dns::DenialKey first = nodes.begin()->first;

  Run([&](Transaction& transaction) -> Result<void> {
    auto found =
        LoadSurroundings(transaction, {{zone_id_, there}, {zone_id_, behind}, {zone_id_, first.substr(0, first.size() - 1)}}).value();
    EXPECT_EQ(found.nodes.size(), 1u);
    EXPECT_EQ(found.nodes.front().owner, nodes.at(there).owner);
    EXPECT_EQ(found.nodes.front().rrsets, nodes.at(there).rrsets);
    EXPECT_EQ(found.before.size(), 2u);
    EXPECT_EQ(HexEncode(found.before.front().key), HexEncode(there));
    EXPECT_EQ(found.before.front().next, kApex.wire());
    EXPECT_EQ(found.before.front().types, std::vector{dns::RrType::kTlsa});
    EXPECT_EQ(HexEncode(found.before.back().key), HexEncode(nodes.rbegin()->first));
    return {};
  });
}

TEST_P(PublishedNodeTest, ARowIsWrittenWhereItWasRead) {
  const auto nodes = Insert(3);
  const NodePlace place{zone_id_, nodes.begin()->first};

  Run([&](Transaction& transaction) -> Result<void> {
    NodeRow node = LoadNodes(transaction, {place}).value().front();
    node.denial.rrsig = "new";
    UpdateDenials(transaction, {&node});
    NodeRow moved = LoadNodes(transaction, {place}).value().front();
    EXPECT_EQ(moved.denial.rrsig, "new");
    moved.rrsets.front().ttl = 60;
    moved.child_count = 2;
    UpdateNodes(transaction, {&moved});
    EXPECT_EQ(LoadNodes(transaction, {place}).value().front().rrsets, moved.rrsets);
    return {};
  });
  NodeRow nowhere = nodes.begin()->second;
  nowhere.address = "(4000,1)";
  const Result<void> ran = database_.Transact("test", [&](Transaction& transaction) -> Result<void> {
    UpdateChildCounts(transaction, {&nowhere});
    return {};
  });
  EXPECT_FALSE(ran) << "a row that is elsewhere";
}

TEST_P(PublishedNodeTest, ZonesAreFoundByNameAndByWhatIsDue) {
  Run([&](Transaction& transaction) -> Result<void> {
    const auto work = ListZoneWork(transaction).value();
    const std::int32_t namespace_id = work.front().registered.namespace_id;
    auto found = FindZones(transaction, namespace_id, {kChild, kApex.Prepend("00").value()}).value();
    EXPECT_EQ(found.size(), 1u);
    EXPECT_EQ(found.front().name, kChild);
    EXPECT_EQ(found.front().parent_id, zone_id_);
    EXPECT_TRUE(FindZones(transaction, namespace_id + 1, {kChild}).value().empty());

    found.front().renew_at = UnixTime(std::chrono::seconds(1000));
    UpdateZones(transaction, {&found.front()});
    const auto due = ListDueZones(transaction, UnixTime(std::chrono::seconds(1000)), {}, 10);
    EXPECT_EQ(due.size(), 1u);
    EXPECT_EQ(due.front().zone_id, child_id_);
    EXPECT_TRUE(ListDueZones(transaction, UnixTime(std::chrono::seconds(999)), {}, 10).empty());
    EXPECT_TRUE(ListDueZones(transaction, UnixTime(std::chrono::seconds(1000)), {namespace_id}, 10).empty());
    return {};
  });
}

TEST_P(PublishedNodeTest, TheSweepDoesNotWalkThroughTheZone) {
  Insert(2000);
  std::string plan;

  Run([&](Transaction& transaction) -> Result<void> {
    // Makes the session prepare its statement; the plan is then the one that the signer runs with.
    const auto rows = LoadSweepRange(transaction, zone_id_, GetParam(), {Octets(), Octets(20, '\xff'), 7});
    if (!rows) return tl::unexpected(rows.error());
    const char* name = GetParam() == DenialKind::kNsec ? "published_load_digest_range" : "published_load_hash_range";
    for (const pqxx::row& row :
         transaction.exec("explain execute " + std::string(name) + "(" + std::to_string(zone_id_) + ", '', '\\xff', 7)"))
      plan += row[0].as<std::string>() + "\n";
    return {};
  });

  const char* index = GetParam() == DenialKind::kNsec ? "Index Scan using node_sweep" : "Index Scan using node_pkey";
  EXPECT_NE(plan.find(index), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Filter"), std::string::npos) << plan;
}

INSTANTIATE_TEST_SUITE_P(EachKind, PublishedNodeTest, testing::Values(DenialKind::kNsec3, DenialKind::kNsec));

}  // namespace
}  // namespace idzone::store
