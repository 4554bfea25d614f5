// SPDX-License-Identifier: MIT
#include "services/store/registry_enrollment.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "services/core/identity/subject.h"
#include "services/store/database.h"
#include "services/store/feed_store.h"
#include "services/store/registry_identity.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

/// The parameter: whether batches are expected to hold new identities alone, whatever they hold.
class EnrollmentTest : public testing::TestWithParam<bool> {
 protected:
  EnrollmentTest() {
    const auto record = CreateNamespace(database_, TestActor(), ValidNamespace());
    home_ = std::make_shared<const NamespaceRecord>(record.value());
  }

  /// A valid enrollment; `key` stands for the device's key.
  Enrollment Item(const std::string& subject, const std::string& key) const {
    const auto id = identity::Subject::Parse(identity::SubjectForm::kLabel, subject);
    return {.home = home_,
            .identity_id = identity::MakeIdentityId(home_->name.wire(), *id),
            .subject = id->text(),
            .fingerprint = Sha256(key),
            .rdata = Octets("\3\1\1", 3) + Sha256(key),
            .actor = TestActor()};
  }
  Revocation Revoking(const std::string& subject) const {
    const Enrollment item = Item(subject, "");
    return {.home = home_, .identity_id = item.identity_id, .subject = subject, .reason = "lost", .actor = TestActor()};
  }
  std::vector<Result<Enrolled>> EnrollAll(const std::vector<Enrollment>& items) {
    EnrollmentOutlook outlook;
    outlook.all_new = GetParam();
    return EnrollBatch(database_, items, outlook);
  }
  Result<Enrolled> Enroll(const std::string& subject, const std::string& key) { return EnrollAll({Item(subject, key)})[0]; }
  std::string Query(const std::string& sql) const { return PostgresCluster::Query(url_, sql); }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test", .connections_max = 8}};
  std::shared_ptr<const NamespaceRecord> home_;
};

TEST_P(EnrollmentTest, NewDeviceIsStoredWithItsKeyAndQueuedForTheSigner) {
  const auto enrolled = Enroll("sensor1", "key1");

  ASSERT_TRUE(enrolled);
  EXPECT_FALSE(enrolled->already);
  EXPECT_GT(enrolled->identity.change, 0u);
  EXPECT_EQ(Query("select count(*) from registry.identity join registry.credential using (identity_id)"), "1");
  EXPECT_EQ(Query("select kind || ':' || cardinality(identity_ids) || ':' || batch_id from registry.dirty_batch"),
            "2:1:" + std::to_string(enrolled->identity.change));
  EXPECT_EQ(Query("select kind from registry.event order by event_id desc limit 1"), "identity.enrolled");
}

TEST_P(EnrollmentTest, SameKeyAgainIsTheSameAnswerAndWritesNothing) {
  const auto first = Enroll("sensor1", "key1");
  const auto again = Enroll("sensor1", "key1");

  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->identity.change, first->identity.change);
  EXPECT_EQ(again->identity.enrolled_at, first->identity.enrolled_at);
  EXPECT_EQ(Query("select count(*) from registry.dirty_batch"), "1");
}

TEST_P(EnrollmentTest, ManyAtOnceAreQueuedInBatchesThatTheSignerCanTakeOneByOne) {
  std::vector<Enrollment> items;
  for (int i = 0; i < 150; ++i) items.push_back(Item("d" + std::to_string(i), "k" + std::to_string(i)));
  const auto outcomes = EnrollAll(items);

  EXPECT_EQ(Query("select string_agg(cardinality(identity_ids)::text, ',' order by batch_id) from registry.dirty_batch"), "64,64,22");
  // Each identity tells the batch that it is in.
  EXPECT_EQ(
      Query("select count(*) from registry.dirty_batch d, unnest(d.identity_ids) u(id) join registry.identity i on i.identity_id = u.id"
            " where i.batch_id = d.batch_id"),
      "150");
  std::map<std::string, int> told;
  for (const auto& outcome : outcomes) ++told[std::to_string(outcome->identity.change)];
  ASSERT_EQ(told.size(), 3u);
  for (const auto& [batch_id, count] : told)
    EXPECT_EQ(Query("select cardinality(identity_ids) from registry.dirty_batch where batch_id = " + batch_id), std::to_string(count));
  EXPECT_EQ(Query("select count(*) from registry.event where kind = 'identity.enrolled'"), "1");
}

TEST_P(EnrollmentTest, AnotherKeyIsAConflictThatShowsBoth) {
  ASSERT_TRUE(Enroll("sensor1", "key1"));

  const auto conflict = Enroll("sensor1", "key2");

  EXPECT_EQ(conflict.error().reason, Reason::kKeyConflict);
  EXPECT_NE(conflict.error().expected.find(HexEncode(Sha256("key1"))), std::string::npos);
  EXPECT_NE(conflict.error().met.find(HexEncode(Sha256("key2"))), std::string::npos);
  EXPECT_EQ(Query("select count(*) from registry.credential"), "1");
}

TEST_P(EnrollmentTest, KeyOfAnotherDeviceIsRefusedAndLeavesNoIdentity) {
  ASSERT_TRUE(Enroll("sensor1", "key1"));

  EXPECT_EQ(Enroll("sensor2", "key1").error().reason, Reason::kKeyAlreadyBound);
  EXPECT_EQ(Query("select count(*) from registry.identity"), "1");
}

TEST_P(EnrollmentTest, RevokedDeviceAndItsKeyNeverComeBack) {
  ASSERT_TRUE(Enroll("sensor1", "key1"));
  const auto revoked = RevokeBatch(database_, {Revoking("sensor1")})[0];
  ASSERT_TRUE(revoked);
  EXPECT_FALSE(revoked->already);
  EXPECT_TRUE(revoked->identity.revoked_at);

  EXPECT_EQ(Enroll("sensor1", "key1").error().reason, Reason::kIdentityRevoked);
  EXPECT_EQ(Enroll("sensor1", "key9").error().reason, Reason::kIdentityRevoked);
  EXPECT_EQ(Enroll("sensor2", "key1").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Query("select kind from registry.dirty_batch order by batch_id desc limit 1"), "1");
}

TEST_P(EnrollmentTest, RevokingTwiceIsTheSameAnswerAndAnUnknownDeviceIsNotFound) {
  ASSERT_TRUE(Enroll("sensor1", "key1"));
  const auto outcomes = RevokeBatch(database_, {Revoking("sensor1"), Revoking("sensor1"), Revoking("sensor2")});
  const auto again = RevokeBatch(database_, {Revoking("sensor1")})[0];

  EXPECT_FALSE(outcomes[0]->already);
  EXPECT_TRUE(outcomes[1]->already);
  EXPECT_EQ(outcomes[2].error().reason, Reason::kNotFound);
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->identity.change, outcomes[0]->identity.change);
}

TEST_P(EnrollmentTest, ItemsOfABatchAreDecidedOneByOne) {
  const auto outcomes = EnrollAll({Item("a", "k1"), Item("b", "k1"), Item("a", "k1"), Item("a", "k2"), Item("c", "k3")});

  ASSERT_EQ(outcomes.size(), 5u);
  EXPECT_FALSE(outcomes[0]->already);
  EXPECT_EQ(outcomes[1].error().reason, Reason::kKeyAlreadyBound);
  EXPECT_TRUE(outcomes[2]->already);
  EXPECT_EQ(outcomes[3].error().reason, Reason::kKeyConflict);
  EXPECT_FALSE(outcomes[4]->already);
  EXPECT_EQ(Query("select count(*) from registry.identity"), "2");
  EXPECT_EQ(Query("select count(*) from registry.dirty_batch"), "1");
}

TEST_P(EnrollmentTest, OneBadItemAtAnyPositionIsExactlyThatItem) {
  ASSERT_TRUE(Enroll("taken", "key"));
  for (std::size_t bad = 0; bad < 20; ++bad) {
    std::vector<Enrollment> items;
    for (std::size_t i = 0; i < 20; ++i) {
      const std::string name = std::to_string(bad) + "-" + std::to_string(i);
      items.push_back(i == bad ? Item("taken", "other key " + name) : Item(name, name));
    }
    const auto outcomes = EnrollAll(items);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(outcomes[i].has_value(), i != bad) << i << " with the bad one at " << bad;
  }
}

TEST_P(EnrollmentTest, SeveralNamespacesInOneBatchHaveADirtyBatchEach) {
  const auto other =
      std::make_shared<const NamespaceRecord>(CreateNamespace(database_, TestActor(), ValidNamespace("beta.example.")).value());
  Enrollment elsewhere = Item("sensor1", "key1");
  elsewhere.home = other;
  elsewhere.identity_id = identity::MakeIdentityId(other->name.wire(), *identity::Subject::Parse(identity::SubjectForm::kLabel, "sensor1"));

  const auto outcomes = EnrollAll({Item("sensor1", "key1"), elsewhere});

  EXPECT_TRUE(outcomes[0] && outcomes[1]);
  EXPECT_NE(outcomes[0]->identity.change, outcomes[1]->identity.change);
  EXPECT_EQ(Query("select count(distinct namespace_id) from registry.dirty_batch"), "2");
}

TEST_P(EnrollmentTest, RacingBatchesAgreeAndLeaveEveryIdentityWithItsKey) {
  // Threads enroll overlapping devices, some with keys that others use too, in different orders.
  constexpr int kThreads = 6;
  constexpr int kDevices = 120;
  std::vector<std::map<std::string, Result<Enrolled>>> seen(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      std::vector<Enrollment> items;
      for (int i = 0; i < kDevices; ++i) items.push_back(Item("d" + std::to_string(i), "k" + std::to_string((i + t % 2) / 2)));
      std::shuffle(items.begin(), items.end(), random);
      for (std::size_t begin = 0; begin < items.size(); begin += 30) {
        const std::vector<Enrollment> batch(items.begin() + static_cast<long>(begin), items.begin() + static_cast<long>(begin) + 30);
        const auto outcomes = EnrollAll(batch);
        for (std::size_t i = 0; i < batch.size(); ++i) seen[static_cast<std::size_t>(t)].emplace(batch[i].subject, outcomes[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  int newly = 0;
  for (const auto& mine : seen) {
    for (const auto& [subject, outcome] : mine) {
      EXPECT_TRUE(outcome || outcome.error().reason != Reason::kInternal);
      newly += outcome && !outcome->already ? 1 : 0;
    }
  }
  EXPECT_EQ(Query("select count(*) from registry.identity"), std::to_string(newly));
  EXPECT_EQ(Query("select count(*) from registry.credential"), std::to_string(newly));
  EXPECT_EQ(Query("select count(*) from registry.identity i left join registry.credential c using (identity_id) where c is null"), "0");
  EXPECT_EQ(Query("select sum(cardinality(identity_ids)) from registry.dirty_batch"), std::to_string(newly));
}

TEST_P(EnrollmentTest, DatabaseThatIsAwayIsEveryItemsError) {
  Database away({.url = "postgresql://postgres@/postgres?host=/nonexistent", .application_name = "test"});

  const auto outcomes = EnrollBatch(away, {Item("a", "k1"), Item("b", "k2")});

  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].error().reason, Reason::kUnavailable);
  EXPECT_EQ(outcomes[1].error().reason, Reason::kUnavailable);
}

TEST_P(EnrollmentTest, ChangesAreReportedAsTheSignerPublishesThem) {
  const auto enrolled = Enroll("sensor1", "key1");
  const std::vector<std::uint64_t> changes = {enrolled->identity.change};
  EXPECT_EQ(NewestWaitingChange(database_, home_->namespace_id).value(), changes[0]);
  EXPECT_FALSE(ReadChanges(database_, *home_, changes, 0, true)->all_published);

  PostgresCluster::Execute(
      url_,
      "insert into published.zone (namespace_id, name, name_text, epoch, serial, digest, node_count, last_signed_at)"
      " select namespace_id, name, name_text, 1, 7, decode(repeat('00', 32), 'hex'), 1, now() from registry.namespace");
  PostgresCluster::Execute(url_,
                           "with taken as (delete from registry.dirty_batch returning batch_id)"
                           " insert into published.batch select batch_id, (select zone_id from published.zone), 1, 6 from taken");
  const auto report = ReadChanges(database_, *home_, changes, 0, true);

  ASSERT_TRUE(report);
  EXPECT_TRUE(report->all_published);
  EXPECT_EQ(report->changes[0].version->serial, 6u);
  EXPECT_EQ(report->zone->serial, 7u);
  EXPECT_TRUE(ReadChanges(database_, *home_, {}, changes[0], true)->all_published);
  EXPECT_EQ(FindIdentity(database_, enrolled->identity.identity_id, "sensor1")->version->serial, 6u);
}

/// A namespace whose names lie in two zones below its own, and an edge.
class ChangesInManyZonesTest : public EnrollmentTest {
 protected:
  ChangesInManyZonesTest() {
    PostgresCluster::Execute(url_, "update registry.namespace set layout_kind = 2, layout_width = 2, has_cuts = true");
    // SHA-256 of sensor1 begins with f7, of sensor2 with 2b.
    PostgresCluster::Execute(url_,
                             "insert into published.zone (namespace_id, name, name_text, epoch, serial, digest, node_count,"
                             " last_signed_at, cuts_made) select namespace_id, name, name_text, 1, 7, decode(repeat('00', 32), 'hex'),"
                             " 1, now(), 256 from registry.namespace");
    for (const char* p : {"2b", "f7"})
      PostgresCluster::Execute(url_,
                               std::string("insert into published.zone (namespace_id, name, name_text, epoch, serial, digest, node_count,"
                                           " last_signed_at) select namespace_id, '\\x02'::bytea || '") +
                                   p + "'::bytea || name, '" + p +
                                   ".' || name_text, 1, 9, decode(repeat('00', 32), 'hex'), 1, now() from registry.namespace");
    PostgresCluster::Execute(url_, "insert into registry.edge (edge_id, fingerprint) values ('edge1', decode(repeat('00', 32), 'hex'))");
  }

  void PublishInBoth() {
    PostgresCluster::Execute(
        url_,
        "with taken as (delete from registry.dirty_batch returning batch_id), z as (select array_agg(zone_id order by name_text) as ids"
        " from published.zone where name_text ~ '^(2b|f7)')"
        " insert into published.batch select batch_id, z.ids[1], 1, 5, now(), z.ids, '{1,1}', '{5,6}' from taken, z");
  }
  void EdgeStandsAt(const std::string& zone, const std::string& serial) {
    PostgresCluster::Execute(
        url_, "insert into published.edge_position (edge_id, zone_id, epoch, serial, digest) select 'edge1', zone_id, 1, " + serial +
                  ", '' from published.zone where name_text like '" + zone +
                  "%' on conflict (edge_id, zone_id) do update set serial = excluded.serial");
  }
};

TEST_P(ChangesInManyZonesTest, AnIdentitysVersionIsThatOfTheZoneThatOwnsItsName) {
  const auto first = Enroll("sensor1", "key1");
  const auto second = Enroll("sensor2", "key2");
  PublishInBoth();

  const auto version = FindIdentity(database_, first->identity.identity_id, "sensor1")->version;
  EXPECT_EQ(version->zone.substr(0, 3), "f7.");
  EXPECT_EQ(version->serial, 6u);
  EXPECT_EQ(FindIdentity(database_, second->identity.identity_id, "sensor2")->version->zone.substr(0, 3), "2b.");
}

TEST_P(ChangesInManyZonesTest, AnEdgeIsBehindUntilItHasTheChangeInEveryZone) {
  const std::vector<std::uint64_t> changes = {Enroll("sensor1", "key1")->identity.change};
  const auto behind = [&] { return ReadChanges(database_, *home_, changes, 0, true)->edges_behind.size(); };
  PublishInBoth();

  EXPECT_EQ(behind(), 1u);
  EdgeStandsAt("f7", "6");
  EXPECT_EQ(behind(), 1u) << "nothing of the other zone yet";
  EdgeStandsAt("2b", "4");
  EXPECT_EQ(behind(), 1u) << "one version too old";
  EdgeStandsAt("2b", "5");
  EXPECT_EQ(behind(), 0u);
  EXPECT_EQ(ReadChanges(database_, *home_, {}, 0, true)->edges_behind.size(), 1u) << "the zones' present versions are newer";
}

TEST_P(ChangesInManyZonesTest, SerialsWrapAroundAndEpochsCountFirst) {
  const std::vector<std::uint64_t> changes = {Enroll("sensor1", "key1")->identity.change};
  PublishInBoth();
  EdgeStandsAt("2b", "5");
  const auto behind = [&] { return ReadChanges(database_, *home_, changes, 0, true)->edges_behind.size(); };

  EdgeStandsAt("f7", "4294967295");
  EXPECT_EQ(behind(), 1u) << "serial 6 comes after the greatest one";
  PostgresCluster::Execute(url_, "update published.edge_position set epoch = 2, serial = 1");
  EXPECT_EQ(behind(), 0u) << "a higher epoch has every acknowledged change";
}

/// The feed's part of the database, beside the registry's.
class SecondariesTest : public ChangesInManyZonesTest {
 protected:
  void SetUp() override {
    ChangesInManyZonesTest::SetUp();
    PublishInBothAfter("sensor1");
    EdgeStandsAt("f7", "6");
    EdgeStandsAt("2b", "5");
  }
  void PublishInBothAfter(const std::string& id) {
    change_ = Enroll(id, "key of " + id)->identity.change;
    PublishInBoth();
  }
  std::int32_t ZoneId(const std::string& prefix) {
    return std::stoi(PostgresCluster::Query(url_, "select zone_id from published.zone where name_text like '" + prefix + "%'"));
  }
  void Report(const std::vector<std::string>& ids, const std::vector<SecondaryPosition>& positions) {
    ASSERT_TRUE(WriteSecondaries(feed_, {"edge1", std::chrono::seconds(10), ids, positions}));
  }
  std::vector<std::string> Behind() { return ReadChanges(database_, *home_, {change_}, 0, true)->edges_behind; }

  Database feed_{{.url = PostgresCluster::As(url_, "idzone_feedd"), .application_name = "test", .connections_max = 2}};
  std::uint64_t change_ = 0;
};

TEST_P(SecondariesTest, WhoServesAnOldVersionIsWaitedFor) {
  EXPECT_EQ(Behind(), std::vector<std::string>());
  Report({"knot", "nsd"}, {{"nsd", ZoneId("f7"), true, 1, 5}, {"knot", ZoneId("2b"), true, 1, 5}});
  EXPECT_EQ(Behind(), std::vector<std::string>{"nsd"});
  Report({"knot", "nsd"}, {{"nsd", ZoneId("f7"), true, 1, 6}});
  EXPECT_EQ(Behind(), std::vector<std::string>());
  Report({"knot", "nsd"}, {{"knot", ZoneId("2b"), true, 0, 777}});
  EXPECT_EQ(Behind(), std::vector<std::string>{"knot"}) << "a serial that nobody knows";
}

TEST_P(SecondariesTest, WhoServesNothingIsNotWaitedFor) {
  Report({"knot", "nsd"}, {{"nsd", ZoneId("f7"), true, 1, 5}, {"knot", ZoneId("2b"), true, 1, 1}});
  Report({"knot", "nsd"}, {{"nsd", ZoneId("f7"), false, 0, 0}});
  EXPECT_EQ(Behind(), std::vector<std::string>{"knot"}) << "the other has no such zone any more";
  Report({"nsd"}, {});
  EXPECT_EQ(Behind(), std::vector<std::string>()) << "it is no longer on the list";
  Report({"nsd"}, {{"stranger", ZoneId("f7"), true, 1, 1}});
  EXPECT_EQ(Behind(), std::vector<std::string>()) << "a position of nobody on the list";
}

TEST_P(SecondariesTest, AZoneOfAHastyPolicyStopsGrowingWhereSecondariesCannotFollow) {
  Report({"nsd"}, {{"nsd", ZoneId("f7"), true, 1, 6}});
  NamespaceRecord hasty = *home_;
  hasty.policy = "fast";
  home_ = std::make_shared<const NamespaceRecord>(hasty);
  PostgresCluster::Execute(url_, "update registry.namespace set policy = 'fast'");
  const auto enroll = [&](const std::string& id) { return Enroll(id, "key of " + id); };
  EXPECT_TRUE(enroll("sensor2")) << "a small zone";
  PostgresCluster::Execute(url_, "update published.zone set node_count = 110000 where name_text like 'f7%'");

  EXPECT_EQ(enroll("sensor3").error().reason, Reason::kLimitExceeded);
  EXPECT_TRUE(enroll("sensor2")) << "what is there is there";
  Report({}, {});
  EXPECT_TRUE(enroll("sensor3")) << "nobody has to take it any more";
}

TEST_P(EnrollmentTest, OnlyABatchOfNewIdentitiesMakesTheNextOneExpected) {
  EnrollmentOutlook outlook;
  outlook.all_new = GetParam();
  EXPECT_TRUE(EnrollBatch(database_, {Item("a", "k1"), Item("b", "k2")}, outlook)[1]);
  EXPECT_TRUE(outlook.all_new);
  EXPECT_TRUE(EnrollBatch(database_, {Item("c", "k3"), Item("a", "k1")}, outlook)[1]->already);
  EXPECT_FALSE(outlook.all_new);
  EXPECT_TRUE(EnrollBatch(database_, {Item("d", "k4")}, outlook)[0]);
  EXPECT_TRUE(outlook.all_new);
  EXPECT_FALSE(EnrollBatch(database_, {Item("e", "k5"), Item("f", "k1")}, outlook)[1]);
  EXPECT_FALSE(outlook.all_new);
  EXPECT_EQ(Query("select count(*) from registry.identity"), "5");
  EXPECT_EQ(Query("select count(*) from registry.credential"), "5");
}

INSTANTIATE_TEST_SUITE_P(LookingFirstOrNot, EnrollmentTest, testing::Bool());
INSTANTIATE_TEST_SUITE_P(LookingFirstOrNot, ChangesInManyZonesTest, testing::Bool());
INSTANTIATE_TEST_SUITE_P(LookingFirstOrNot, SecondariesTest, testing::Bool());

}  // namespace
}  // namespace idzone::store
