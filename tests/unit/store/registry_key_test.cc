// SPDX-License-Identifier: MIT
// Keys that come later and leave earlier, and the authority of a namespace.
#include <gtest/gtest.h>

#include <future>

#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"
#include "services/store/database.h"
#include "services/store/registry_authority.h"
#include "services/store/registry_enrollment.h"
#include "services/store/registry_identity.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

class KeyTest : public testing::Test {
 protected:
  KeyTest() { home_ = std::make_shared<const NamespaceRecord>(CreateNamespace(database_, TestActor(), ValidNamespace()).value()); }

  Enrollment Item(const std::string& subject, const std::string& key) const {
    const auto id = identity::Subject::Parse(identity::SubjectForm::kLabel, subject);
    return {.home = home_,
            .identity_id = identity::MakeIdentityId(home_->name.wire(), *id),
            .subject = id->text(),
            .fingerprint = Sha256(key),
            .rdata = Octets("\3\1\1", 3) + Sha256(key),
            .actor = TestActor()};
  }
  Result<Enrolled> Enroll(const std::string& subject, const std::string& key) { return EnrollBatch(database_, {Item(subject, key)})[0]; }
  Result<Enrolled> Add(const std::string& subject, const std::string& key) { return AddKey(database_, Item(subject, key)); }
  Result<Enrolled> Retire(const std::string& subject, const std::string& key) {
    const Enrollment item = Item(subject, key);
    return RetireKey(database_, {home_, item.identity_id, subject, item.fingerprint, "rotated", TestActor()});
  }
  Result<Revoked> Revoke(const std::string& subject) {
    const Enrollment item = Item(subject, "");
    return RevokeBatch(database_, {{home_, item.identity_id, subject, "lost", TestActor()}})[0];
  }
  Result<NamespaceRecord> SetCa(const std::string& key) {
    return SetAuthority(database_, TestActor(), {home_->name, Sha256(key), Octets("\2\0\1", 3) + Sha256(key)});
  }
  std::string Query(const std::string& sql) const { return PostgresCluster::Query(url_, sql); }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test", .connections_max = 8}};
  std::shared_ptr<const NamespaceRecord> home_;
};

TEST_F(KeyTest, AddedKeyStandsBesideTheFirstAndIsQueued) {
  const auto enrolled = Enroll("sensor1", "old");

  const auto added = Add("sensor1", "new");

  ASSERT_TRUE(added);
  EXPECT_FALSE(added->already);
  EXPECT_GT(added->identity.change, enrolled->identity.change);
  const auto found = FindIdentity(database_, enrolled->identity.identity_id, "sensor1");
  ASSERT_EQ(found->keys.size(), 2u);
  EXPECT_EQ(found->keys[0].fingerprint, Sha256("old"));
  EXPECT_EQ(found->keys[1].fingerprint, Sha256("new"));
  EXPECT_EQ(found->change, added->identity.change);
  EXPECT_EQ(Query("select string_agg(kind::text, ',' order by batch_id) from registry.dirty_batch"), "2,2");
}

TEST_F(KeyTest, SameKeyAgainChangesNothing) {
  ASSERT_TRUE(Enroll("sensor1", "old"));
  const auto first = Add("sensor1", "new");

  const auto again = Add("sensor1", "new");

  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->identity.change, first->identity.change);
  EXPECT_TRUE(Enroll("sensor1", "new")->already) << "any active key is the identity's";
  EXPECT_EQ(Query("select count(*) from registry.dirty_batch"), "2");
}

TEST_F(KeyTest, RotationEndsWithTheNewKeyAlone) {
  ASSERT_TRUE(Enroll("sensor1", "old"));
  ASSERT_TRUE(Add("sensor1", "new"));

  const auto retired = Retire("sensor1", "old");

  ASSERT_TRUE(retired);
  EXPECT_EQ(retired->identity.MainKey().fingerprint, Sha256("new"));
  EXPECT_TRUE(retired->identity.FindKey(Sha256("old"))->retired_at);
  EXPECT_EQ(Query("select kind from registry.dirty_batch order by batch_id desc limit 1"), "1") << "in line with revocations";
  EXPECT_TRUE(Retire("sensor1", "old")->already);
}

TEST_F(KeyTest, RetiredKeyNeverComesBack) {
  ASSERT_TRUE(Enroll("sensor1", "old"));
  ASSERT_TRUE(Add("sensor1", "new"));
  ASSERT_TRUE(Retire("sensor1", "old"));

  EXPECT_EQ(Add("sensor1", "old").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Enroll("sensor1", "old").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Enroll("sensor2", "old").error().reason, Reason::kKeyRevoked);
}

TEST_F(KeyTest, LastKeyStays) {
  ASSERT_TRUE(Enroll("sensor1", "only"));

  EXPECT_EQ(Retire("sensor1", "only").error().reason, Reason::kLastKey);
  EXPECT_EQ(Retire("sensor1", "foreign").error().reason, Reason::kNotFound);
}

TEST_F(KeyTest, TwoAtOnceCannotRetireTheLastTwo) {
  for (int round = 0; round < 10; ++round) {
    const std::string subject = "sensor" + std::to_string(round);
    ASSERT_TRUE(Enroll(subject, subject + "a"));
    ASSERT_TRUE(Add(subject, subject + "b"));

    auto first = std::async(std::launch::async, [&] { return Retire(subject, subject + "a"); });
    const auto second = Retire(subject, subject + "b");

    EXPECT_NE(first.get().has_value(), second.has_value());
  }
}

TEST_F(KeyTest, KeysOfOthersAndOfTheRevokedAreRefused) {
  ASSERT_TRUE(Enroll("sensor1", "one"));
  ASSERT_TRUE(Enroll("sensor2", "two"));
  ASSERT_TRUE(Enroll("sensor3", "three"));
  ASSERT_TRUE(Revoke("sensor3"));

  EXPECT_EQ(Add("sensor1", "two").error().reason, Reason::kKeyAlreadyBound);
  EXPECT_EQ(Add("sensor1", "three").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Add("sensor3", "four").error().reason, Reason::kIdentityRevoked);
  EXPECT_EQ(Add("sensor9", "five").error().reason, Reason::kNotFound);
  EXPECT_EQ(Query("select count(*) from registry.credential"), "3");
}

TEST_F(KeyTest, NinthKeyIsOneTooMany) {
  ASSERT_TRUE(Enroll("sensor1", "key0"));
  for (std::size_t i = 1; i < limits::kRdatasPerRrSetMax; ++i) ASSERT_TRUE(Add("sensor1", "key" + std::to_string(i)));

  EXPECT_EQ(Add("sensor1", "one more").error().reason, Reason::kLimitExceeded);
  ASSERT_TRUE(Retire("sensor1", "key3"));
  EXPECT_TRUE(Add("sensor1", "one more"));
}

TEST_F(KeyTest, LabelPrivacyIsPartOfTheIdentity) {
  Enrollment hidden = Item("sensor1", "key");
  hidden.label = std::string(32, 'a');
  ASSERT_TRUE(Enroll("sensor1", "key"));

  EXPECT_EQ(EnrollBatch(database_, {hidden})[0].error().reason, Reason::kLabelConflict);

  Enrollment other = Item("sensor2", "key2");
  other.label = std::string(32, 'b');
  ASSERT_TRUE(EnrollBatch(database_, {other})[0]);
  EXPECT_EQ(Enroll("sensor2", "key2").error().reason, Reason::kLabelConflict);
  EXPECT_EQ(FindIdentity(database_, other.identity_id, "sensor2")->label, std::string(32, 'b'));
}

TEST_F(KeyTest, IdThatIsTheNsec3LabelOfAnotherNameIsRefused) {
  PostgresCluster::Execute(
      url_,
      "insert into published.zone (namespace_id, name, name_text, epoch, serial, digest, node_count, last_signed_at)"
      " select namespace_id, name, name_text, 1, 7, decode(repeat('00', 32), 'hex'), 1, now() from registry.namespace;"
      "insert into published.node select zone_id, decode(repeat('11', 20), 'hex'), '\\x0161027a7a00', 0, '{52}', '\\x00',"
      " decode(repeat('11', 20), 'hex'), '\\x00' from published.zone");
  Enrollment item = Item("sensor1", "key");
  item.denial_hash = Octets(20, '\x11');

  const auto refused = EnrollBatch(database_, {item, Item("sensor2", "key2")});

  EXPECT_EQ(refused[0].error().reason, Reason::kIdIsDenialLabel);
  EXPECT_TRUE(refused[1]);
  item.denial_hash = Octets(20, '\x12');
  EXPECT_TRUE(EnrollBatch(database_, {item})[0]);
}

TEST_F(KeyTest, OneAuthorityAtATimeAndNoneComesBack) {
  ASSERT_TRUE(SetCa("ca1"));
  EXPECT_EQ(SetCa("ca1")->authority->fingerprint, Sha256("ca1"));
  EXPECT_EQ(Query("select count(*) from registry.dirty_batch where about_authority and kind = 1"), "1");

  const auto replaced = SetCa("ca2");

  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->authority->fingerprint, Sha256("ca2"));
  EXPECT_EQ(Query("select count(*) from registry.authority where removed_at is null"), "1");
  EXPECT_EQ(SetCa("ca1").error().reason, Reason::kKeyRevoked);
}

TEST_F(KeyTest, RemovedAuthorityIsGone) {
  EXPECT_EQ(RemoveAuthority(database_, TestActor(), home_->name)->change, 0u) << "there was none";
  ASSERT_TRUE(SetCa("ca1"));

  const auto removal = RemoveAuthority(database_, TestActor(), home_->name);

  EXPECT_GT(removal->change, 0u);
  EXPECT_FALSE(FindNamespace(database_, home_->name)->authority);
  EXPECT_EQ(SetCa("ca1").error().reason, Reason::kKeyRevoked);
}

}  // namespace
}  // namespace idzone::store
