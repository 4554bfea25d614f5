// SPDX-License-Identifier: MIT
#include "services/store/published_roll.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/registry_keyset.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

constexpr UnixTime kNow(std::chrono::seconds(1'800'000'000));

/// A namespace with one key and two zones, as the signer's own session sees it.
class PublishedRollTest : public testing::Test {
 protected:
  PublishedRollTest() {
    NamespaceRecord home = ValidNamespace();
    name_ = home.name;
    EXPECT_TRUE(CreateNamespace(provisiond_, TestActor(), home));
    Run([&](Transaction& transaction) -> Result<void> {
      const auto work = ListZoneWork(transaction).value();
      namespace_id_ = work.front().registered.namespace_id;
      ZoneRow own, child;
      own.name = name_;
      child.name = name_.Prepend("7f").value();
      own.position = child.position = {1, 5, Octets(32, '\0')};
      own.node_count = child.node_count = 1;
      own.renew_at = child.renew_at = kNow + std::chrono::hours(1);
      InsertZones(transaction, work.front().registered, {&own});
      child.parent_id = own.zone_id;
      InsertZones(transaction, work.front().registered, {&child});
      zones_ = {own.zone_id, child.zone_id};
      InsertKey(transaction, {namespace_id_}, Key("one", 1, zone::AllUses(zone::KeyRole::kCsk)));
      InsertKeyset(transaction, {namespace_id_}, {3600, 300, 0});
      return {};
    });
  }

  template <typename Body>
  void Run(Body body) {
    const Result<void> ran = database_.Transact("test", body);
    ASSERT_TRUE(ran) << ran.error().Detail();
  }
  static KeyRow Key(const char* name, std::uint16_t tag, const zone::KeyUses& uses) {
    return {.key_id = Sha256(name),
            .key_tag = tag,
            .dnskey = Octets("\x01\x01\x03\x0d", 4) + Octets(64, 'k'),
            .role = zone::KeyRole::kCsk,
            .state = zone::KeyState::kActive,
            .uses = uses,
            .part = 0};
  }
  void Raise(std::int64_t revision, std::int64_t data_revision) {
    Run([&](Transaction& transaction) -> Result<void> {
      RollingKeysetRow keyset = LockKeyset(transaction, {namespace_id_}).value();
      keyset.revision = revision;
      keyset.data_revision = data_revision;
      SaveKeyset(transaction, {namespace_id_}, keyset);
      return {};
    });
  }
  void Follow(std::int32_t zone_id, std::int64_t keys, std::int64_t swept, dns::Serial serial) {
    Run([&](Transaction& transaction) -> Result<void> {
      const ZoneKeysRow row{.zone_id = zone_id,
                            .keys_revision = keys,
                            .keys_position = {1, serial, {}},
                            .sweep_revision = swept,
                            .sweep_place = Octets(20, 'p'),
                            .sweep_began = kNow,
                            .swept_revision = swept,
                            .swept_position = {1, serial, {}}};
      SaveZoneKeys(transaction, {&row});
      return {};
    });
  }
  KeysetSight See(UnixTime silent_since = UnixTime(), std::int32_t keyset_zone_id = 0) {
    const KeysetId keyset{namespace_id_, keyset_zone_id};
    KeysetSight sight;
    Run([&](Transaction& transaction) -> Result<void> {
      sight = SeeKeyset(transaction, keyset, silent_since);
      return {};
    });
    return sight;
  }
  void EdgeAt(std::int32_t zone_id, dns::Serial serial) {
    PostgresCluster::Execute(url_,
                             "insert into registry.edge (edge_id, fingerprint) values ('e1', sha256('e1')) on conflict do nothing;"
                             "insert into published.edge_position (edge_id, zone_id, epoch, serial, digest) values ('e1', " +
                                 std::to_string(zone_id) + ", 1, " + std::to_string(serial) +
                                 ", ''::bytea) on conflict (edge_id, zone_id) do update set serial = excluded.serial, reported_at = now()");
  }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database provisiond_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test"}};
  Database database_{{.url = PostgresCluster::As(url_, "idzone_signerd"), .application_name = "test", .settings = SignerSessionSettings()}};
  dns::Name name_;
  std::int32_t namespace_id_ = 0;
  std::vector<std::int32_t> zones_;
};

TEST_F(PublishedRollTest, AYoungKeysetIsSettledAndSeen) {
  EXPECT_TRUE(See().published);
  EXPECT_TRUE(See().resigned);
  Run([&](Transaction& transaction) -> Result<void> {
    const Keyring ring = LoadKeyrings(transaction, namespace_id_, {0}).value().at(0);
    EXPECT_EQ(ring.keys.size(), 1u);
    EXPECT_TRUE(ring.keyset.settled);
    EXPECT_EQ(ring.keyset.ttls, (LongestTtlRow{3600, 300, 0}));
    EXPECT_TRUE(ListRollWork(transaction, kNow).empty());
    return {};
  });
}

TEST_F(PublishedRollTest, ARevisionIsSeenWhenEveryZoneAndEveryEdgeHasIt) {
  Raise(2, 2);
  EXPECT_FALSE(See().published);
  Follow(zones_[0], 2, 2, 7);
  EXPECT_FALSE(See().published);
  Follow(zones_[1], 2, 1, 9);
  EXPECT_TRUE(See().published);
  EXPECT_FALSE(See().resigned);
  Follow(zones_[1], 2, 2, 9);
  EXPECT_TRUE(See().resigned);

  EdgeAt(zones_[1], 8);
  EXPECT_FALSE(See().published);
  EXPECT_EQ(See().server, "e1");
  EXPECT_TRUE(See(UnixTime(std::chrono::seconds(4'000'000'000))).published) << "an edge that is silent for long does not count";
  EdgeAt(zones_[1], 9);
  EXPECT_TRUE(See().published);
  EXPECT_TRUE(See().resigned);
}

TEST_F(PublishedRollTest, AForeignSecondaryIsWaitedForAndNamed) {
  Raise(2, 2);
  for (const std::int32_t zone : zones_) Follow(zone, 2, 2, 7);
  EdgeAt(zones_[0], 7);
  const auto secondary_at = [&](int epoch, dns::Serial serial) {
    PostgresCluster::Execute(
        url_,
        "insert into published.secondary (edge_id, secondary_id, notify_period_seconds) values ('e1', 'ns-berlin', 10)"
        " on conflict do nothing;"
        "insert into published.secondary_position (edge_id, secondary_id, zone_id, epoch, serial) values ('e1', 'ns-berlin', " +
            std::to_string(zones_[0]) + ", " + std::to_string(epoch) + ", " + std::to_string(serial) +
            ") on conflict (zone_id, edge_id, secondary_id) do update set epoch = excluded.epoch, serial = excluded.serial");
  };
  EXPECT_TRUE(See().published);

  for (const auto& [epoch, serial] : {std::pair(1, 6u), {0, 9u}}) {  // the version before, and none of the last ones
    secondary_at(epoch, serial);
    EXPECT_FALSE(See().published);
    EXPECT_EQ(See().server, "ns-berlin");
    const std::string told = FindNamespaceKeys(provisiond_, {name_}).value().keyset->edges_behind;
    EXPECT_EQ(told.substr(0, told.find(' ')), "ns-berlin");
  }
  EXPECT_TRUE(See(UnixTime(std::chrono::seconds(4'000'000'000))).published) << "one that is silent for long does not count";
  secondary_at(1, 7);
  EXPECT_TRUE(See().published);
  EXPECT_TRUE(See().resigned);
  EXPECT_EQ(FindNamespaceKeys(provisiond_, {name_}).value().keyset->edges_behind, "");
}

TEST_F(PublishedRollTest, SerialsOfEdgesAreComparedAcrossTheirWrap) {
  Raise(2, 2);
  Follow(zones_[0], 2, 2, 4'294'967'290u);
  Follow(zones_[1], 2, 2, 5);
  EdgeAt(zones_[0], 3);

  EXPECT_TRUE(See().published);
}

TEST_F(PublishedRollTest, ARollIsRememberedWhole) {
  RollingKeysetRow wanted;
  Run([&](Transaction& transaction) -> Result<void> {
    wanted = LockKeyset(transaction, {namespace_id_}).value();
    wanted.revision = 4;
    wanted.data_revision = 3;
    wanted.settled_revision = 2;
    wanted.tell_parent = true;
    wanted.ttls = {1, 2, 3};
    wanted.roll = RollRow{.style = 5,
                          .algorithm = 15,
                          .roles = {zone::KeyRole::kKsk, zone::KeyRole::kZsk},
                          .urgent = true,
                          .phase = 4,
                          .began = kNow,
                          .phase_began = kNow + std::chrono::seconds(1),
                          .published_at = kNow + std::chrono::seconds(2),
                          .resigned_at = std::nullopt,
                          .delegated_at = kNow + std::chrono::seconds(3)};
    wanted.schedule = {kNow + std::chrono::hours(2), kNow + std::chrono::hours(3)};
    wanted.waits_for = 5;
    wanted.waits_until = kNow + std::chrono::hours(1);
    wanted.refused = "it's full";
    wanted.parent_answer = "DS of 1";
    wanted.parent_asked_at = kNow;
    SaveKeyset(transaction, {namespace_id_}, wanted);
    return {};
  });

  Run([&](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(LockKeyset(transaction, {namespace_id_}).value(), wanted);
    EXPECT_EQ(ListRollWork(transaction, kNow).size(), 1u);
    return {};
  });
  const auto shown = FindNamespaceKeys(provisiond_, {name_}).value();
  EXPECT_EQ(shown.keyset->style, 5);
  EXPECT_EQ(shown.keyset->waits_until, wanted.waits_until);
  EXPECT_EQ(shown.keyset->keys_due_at, wanted.schedule.keys_at);
  EXPECT_EQ(shown.keyset->zsk_due_at, wanted.schedule.zsk_at);
  EXPECT_EQ(shown.keys.size(), 1u);
}

TEST_F(PublishedRollTest, ASetIsListedWhenItsFirstRollIsDue) {
  Run([&](Transaction& transaction) -> Result<void> {
    RollingKeysetRow keyset = LockKeyset(transaction, {namespace_id_}).value();
    keyset.schedule = {kNow + std::chrono::hours(2), kNow + std::chrono::hours(1)};
    SaveKeyset(transaction, {namespace_id_}, keyset);
    EXPECT_TRUE(ListRollWork(transaction, kNow).empty());
    EXPECT_EQ(ListRollWork(transaction, kNow + std::chrono::hours(1)).size(), 1u);
    return {};
  });
}

TEST_F(PublishedRollTest, CommandsAreTakenOnceInTheirOrder) {
  ASSERT_TRUE(OrderRoll(provisiond_, TestActor(), {name_}, {.style = 5, .algorithm = 15, .roles = {zone::KeyRole::kCsk}, .urgent = false}));
  ASSERT_TRUE(OrderRoll(provisiond_, TestActor(), {name_}, {.style = 1, .algorithm = 0, .roles = {}, .urgent = true}));
  EXPECT_EQ(OrderParentConfirmed(provisiond_, TestActor(), name_).error().reason, Reason::kNamespaceNotReady);

  Run([&](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(ListRollWork(transaction, kNow).size(), 1u);
    const auto commands = TakeKeyCommands(transaction, {namespace_id_});
    EXPECT_EQ(commands.size(), 2u);
    EXPECT_EQ(commands.front().style, 5);
    EXPECT_EQ(commands.front().roles, std::vector{zone::KeyRole::kCsk});
    EXPECT_TRUE(commands.back().urgent);
    EXPECT_TRUE(TakeKeyCommands(transaction, {namespace_id_}).empty());
    return {};
  });
}

TEST_F(PublishedRollTest, MakesZonesDueButNeverLater) {
  Run([&](Transaction& transaction) -> Result<void> {
    MakeZonesDue(transaction, {namespace_id_}, kNow - std::chrono::hours(2));
    EXPECT_EQ(ListDueZones(transaction, kNow - std::chrono::hours(2), {}, 10).size(), 2u);
    MakeZonesDue(transaction, {namespace_id_}, kNow);
    EXPECT_EQ(ListDueZones(transaction, kNow - std::chrono::hours(2), {}, 10).size(), 2u);
    return {};
  });
}

TEST_F(PublishedRollTest, AKeyIsUpdatedAndATagIsGivenOnce) {
  Run([&](Transaction& transaction) -> Result<void> {
    KeyRow key = Key("one", 1, {});
    key.state = zone::KeyState::kRemoved;
    UpdateKey(transaction, key);
    EXPECT_EQ(LoadKeys(transaction, {namespace_id_}).value().front().state, zone::KeyState::kRemoved);
    EXPECT_TRUE(LoadKeyrings(transaction, namespace_id_, {0}).value().empty());
    return {};
  });

  const Result<void> twice = database_.Transact("test", [&](Transaction& transaction) -> Result<void> {
    InsertKey(transaction, {namespace_id_}, Key("two", 1, {}));
    return {};
  });
  EXPECT_FALSE(twice);
}

/// The same namespace, where each zone has keys of its own.
class OwnKeysTest : public PublishedRollTest {
 protected:
  OwnKeysTest() {
    PostgresCluster::Execute(url_, "delete from published.key; delete from published.keyset");
    Run([&](Transaction& transaction) -> Result<void> {
      for (const std::int32_t zone_id : zones_) {
        // The same tag: it is one key's within its set.
        InsertKey(transaction, {namespace_id_, zone_id},
                  Key(("of " + std::to_string(zone_id)).c_str(), 1, zone::AllUses(zone::KeyRole::kCsk)));
        InsertKeyset(transaction, {namespace_id_, zone_id}, {3600, 300, 0});
      }
      return {};
    });
  }
  void RaiseOwn(std::int32_t zone_id) {
    Run([&](Transaction& transaction) -> Result<void> {
      RollingKeysetRow keyset = LockKeyset(transaction, {namespace_id_, zone_id}).value();
      keyset.revision = keyset.data_revision = 2;
      SaveKeyset(transaction, {namespace_id_, zone_id}, keyset);
      return {};
    });
  }
  void FollowOwn(std::int32_t zone_id, dns::Serial serial, dns::Serial cut_serial) {
    Run([&](Transaction& transaction) -> Result<void> {
      ZoneKeysRow row;
      row.zone_id = zone_id;
      row.keys_revision = row.sweep_revision = row.swept_revision = 2;
      row.keys_position = row.swept_position = {1, serial, {}};
      row.cut_position = {1, cut_serial, {}};
      SaveZoneKeys(transaction, {&row});
      EXPECT_EQ(LoadZoneKeys(transaction, {zone_id}).front().cut_position.serial, cut_serial);
      return {};
    });
  }
};

TEST_F(OwnKeysTest, ASetIsFollowedByItsZoneAndSeenInTheParentToo) {
  RaiseOwn(zones_[1]);
  EXPECT_TRUE(See({}, zones_[0]).resigned) << "the other zone's set is as it was";
  EXPECT_FALSE(See({}, zones_[1]).published);
  FollowOwn(zones_[1], 9, 7);
  EXPECT_TRUE(See({}, zones_[1]).resigned);

  EdgeAt(zones_[1], 9);
  EdgeAt(zones_[0], 6);
  EXPECT_FALSE(See({}, zones_[1]).published) << "the edge has not the parent's version with the DS records";
  EXPECT_EQ(See({}, zones_[1]).server, "e1");
  EdgeAt(zones_[0], 7);
  EXPECT_TRUE(See({}, zones_[1]).resigned);
}

TEST_F(OwnKeysTest, SetsAreLoadedListedAndMadeDueOneByOne) {
  RaiseOwn(zones_[1]);
  Run([&](Transaction& transaction) -> Result<void> {
    const auto rings = LoadKeyrings(transaction, namespace_id_, {zones_[0], zones_[1], 99}).value();
    EXPECT_EQ(rings.size(), 2u);
    EXPECT_NE(rings.at(zones_[0]).keys.front().key_id, rings.at(zones_[1]).keys.front().key_id);
    EXPECT_TRUE(rings.at(zones_[0]).keyset.settled);
    EXPECT_FALSE(rings.at(zones_[1]).keyset.settled);
    const auto work = ListRollWork(transaction, kNow);
    EXPECT_EQ(work.size(), 1u);
    EXPECT_EQ(work.front().keyset, (KeysetId{namespace_id_, zones_[1]}));
    constexpr UnixTime kLongAgo(std::chrono::seconds(1'000'000'000));
    MakeZonesDue(transaction, {namespace_id_, zones_[1]}, kLongAgo);
    const auto due = ListDueZones(transaction, kLongAgo, {}, 10);
    EXPECT_EQ(due.size(), 1u);
    EXPECT_EQ(due.front().zone_id, zones_[1]);
    return {};
  });
}

TEST_F(OwnKeysTest, AnOrderIsForOneZoneOrForAllThatDoNotRoll) {
  const dns::Name child = name_.Prepend("7f").value();
  const RollOrder order{.style = 1, .algorithm = 0, .roles = {}, .urgent = false};
  ASSERT_TRUE(OrderRoll(provisiond_, TestActor(), {name_, child}, order));
  Run([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(TakeKeyCommands(transaction, {namespace_id_, zones_[0]}).empty());
    EXPECT_EQ(TakeKeyCommands(transaction, {namespace_id_, zones_[1]}).size(), 1u);
    RollingKeysetRow keyset = LockKeyset(transaction, {namespace_id_, zones_[1]}).value();
    keyset.roll = RollRow{.style = 1,
                          .algorithm = 13,
                          .roles = {zone::KeyRole::kCsk},
                          .urgent = false,
                          .phase = 3,
                          .began = kNow,
                          .phase_began = kNow,
                          .published_at = {},
                          .resigned_at = {},
                          .delegated_at = {}};
    SaveKeyset(transaction, {namespace_id_, zones_[1]}, keyset);
    return {};
  });

  EXPECT_EQ(OrderRoll(provisiond_, TestActor(), {name_, child}, order).error().reason, Reason::kNamespaceNotReady);
  const auto all = OrderRoll(provisiond_, TestActor(), {name_}, order);

  ASSERT_TRUE(all) << all.error().Detail();
  EXPECT_EQ(all->zones_with_keys, 2);
  EXPECT_EQ(all->zones_rolling, 1);
  EXPECT_EQ(OrderRoll(provisiond_, TestActor(), {name_, name_.Prepend("80").value()}, order).error().reason, Reason::kNotFound);
  Run([&](Transaction& transaction) -> Result<void> {
    EXPECT_EQ(TakeKeyCommands(transaction, {namespace_id_, zones_[0]}).size(), 1u);
    EXPECT_TRUE(TakeKeyCommands(transaction, {namespace_id_, zones_[1]}).empty());
    return {};
  });
}

TEST_F(OwnKeysTest, KeysAreListedSetBySet) {
  const auto first = ListKeys(provisiond_, {name_}, {"", 1}).value();
  const auto second = ListKeys(provisiond_, {name_}, {first.next, 1}).value();
  const auto third = ListKeys(provisiond_, {name_}, {second.next, 1}).value();

  ASSERT_EQ(first.keys.size(), 1u);
  EXPECT_EQ(first.keys.front().zone, name_);
  ASSERT_EQ(second.keys.size(), 1u);
  EXPECT_EQ(second.keys.front().zone, name_.Prepend("7f").value());
  EXPECT_TRUE(third.keys.empty() && third.next.empty());
  EXPECT_EQ(ListKeys(provisiond_, {name_}, {"x", 1}).error().reason, Reason::kPageTokenInvalid);
}

}  // namespace
}  // namespace idzone::store
