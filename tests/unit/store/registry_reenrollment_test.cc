// SPDX-License-Identifier: MIT
// Lives of an identity: revoked, in quarantine, enrolled again.
#include <gtest/gtest.h>

#include <future>

#include "services/core/identity/subject.h"
#include "services/store/database.h"
#include "services/store/published_store.h"
#include "services/store/registry_enrollment.h"
#include "services/store/registry_identity.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

class ReEnrollmentTest : public testing::Test {
 protected:
  ReEnrollmentTest() { home_ = std::make_shared<const NamespaceRecord>(CreateNamespace(database_, TestActor(), ValidNamespace()).value()); }

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
  Result<Enrolled> Again(const std::string& subject, const std::string& key) { return ReEnroll(database_, Item(subject, key)); }
  Result<Enrolled> Add(const std::string& subject, const std::string& key) { return AddKey(database_, Item(subject, key)); }
  Result<Revoked> Revoke(const std::string& subject) {
    const Enrollment item = Item(subject, "");
    return RevokeBatch(database_, {{home_, item.identity_id, subject, "lost", TestActor()}})[0];
  }
  IdentityRecord Find(const std::string& subject) { return FindIdentity(database_, Item(subject, "").identity_id, subject).value(); }
  std::string Query(const std::string& sql) const { return PostgresCluster::Query(url_, sql); }

  /// What the signer does with the queue, as its own role: the quarantine of what it takes out ends that many seconds from now.
  void Publish(int quarantine_seconds) {
    const auto done = signer_.Transact("publish", [&](pqxx::transaction_base& transaction) -> Result<void> {
      DirtyBatches taken = TakeDirtyBatches(transaction, home_->namespace_id, 1000);
      DeleteDirtyBatches(transaction, taken.batch_ids);
      // Revocations come alone.
      DeleteDirtyBatches(transaction, TakeDirtyBatches(transaction, home_->namespace_id, 1000).batch_ids);
      const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
      InsertQuarantine(transaction, home_->namespace_id, taken.revocation_ids, now + std::chrono::seconds(quarantine_seconds));
      return {};
    });
    ASSERT_TRUE(done) << done.error().Detail();
  }
  std::vector<DesiredIdentity> Desired() {
    std::vector<DesiredIdentity> desired;
    const auto done = signer_.Transact("desired", [&](pqxx::transaction_base& transaction) -> Result<void> {
      desired = LoadDesired(transaction, home_->namespace_id, TakeDirtyBatches(transaction, home_->namespace_id, 1000).batch_ids);
      return {};
    });
    EXPECT_TRUE(done) << done.error().Detail();
    return desired;
  }
  /// An identity whose revocation is over.
  void MakeFree(const std::string& subject, const std::string& key) {
    ASSERT_TRUE(Enroll(subject, key));
    ASSERT_TRUE(Revoke(subject));
    Publish(-1);
  }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test", .connections_max = 8}};
  Database signer_{{.url = PostgresCluster::As(url_, "idzone_signerd"), .application_name = "test", .settings = SignerSessionSettings()}};
  std::shared_ptr<const NamespaceRecord> home_;
};

TEST_F(ReEnrollmentTest, RevokedNameWaitsForItsPublicationAndThenForItsQuarantine) {
  ASSERT_TRUE(Enroll("sensor1", "old"));
  ASSERT_TRUE(Revoke("sensor1"));
  EXPECT_FALSE(Find("sensor1").quarantine_end);
  EXPECT_EQ(Again("sensor1", "new").error().reason, Reason::kNameInQuarantine);

  Publish(3600);

  const auto identity = Find("sensor1");
  ASSERT_TRUE(identity.quarantine_end);
  const auto refused = Again("sensor1", "new");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNameInQuarantine);
  EXPECT_EQ(refused.error().expected, "a time from " + FormatTime(*identity.quarantine_end) + " on");
  EXPECT_NE(Enroll("sensor1", "new").error().met.find(FormatTime(*identity.quarantine_end)), std::string::npos);
  EXPECT_EQ(Query("select count(*) from registry.reenrollment"), "0");
}

TEST_F(ReEnrollmentTest, AfterItsQuarantineTheIdentityLivesAgainWithTheNewKeyAlone) {
  ASSERT_TRUE(Enroll("sensor1", "old"));
  ASSERT_TRUE(Add("sensor1", "second"));
  ASSERT_TRUE(Revoke("sensor1"));
  Publish(-1);

  const auto again = Again("sensor1", "new");

  ASSERT_TRUE(again) << again.error().Detail();
  EXPECT_FALSE(again->already);
  EXPECT_EQ(again->identity.life, 2);
  EXPECT_FALSE(again->identity.revoked_at);
  const auto found = Find("sensor1");
  EXPECT_EQ(found.MainKey().fingerprint, Sha256("new"));
  EXPECT_TRUE(found.FindKey(Sha256("old"))->retired_at && found.FindKey(Sha256("second"))->retired_at);
  EXPECT_EQ(found.life, 2);
  EXPECT_EQ(found.change, again->identity.change);
  const auto desired = Desired();
  ASSERT_EQ(desired.size(), 1u);
  EXPECT_TRUE(desired[0].active);
  ASSERT_EQ(desired[0].records.size(), 1u);
  EXPECT_EQ(desired[0].records[0].rdata, Octets("\3\1\1", 3) + Sha256("new"));
  EXPECT_EQ(Query("select kind || ' ' || (detail->>'life') from registry.event order by event_id desc limit 1"), "identity.re_enrolled 2");
}

TEST_F(ReEnrollmentTest, KeysOfEarlierLivesNeverComeBack) {
  MakeFree("sensor1", "old");
  EXPECT_EQ(Again("sensor1", "old").error().reason, Reason::kKeyRevoked);
  ASSERT_TRUE(Enroll("sensor2", "busy"));
  EXPECT_EQ(Again("sensor1", "busy").error().reason, Reason::kKeyAlreadyBound);
  ASSERT_TRUE(Again("sensor1", "new"));

  EXPECT_EQ(Add("sensor1", "old").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Enroll("sensor1", "old").error().reason, Reason::kKeyRevoked);
  EXPECT_EQ(Enroll("sensor3", "old").error().reason, Reason::kKeyRevoked);
}

TEST_F(ReEnrollmentTest, SameKeyAgainIsTheSameAnswerAndWritesNothing) {
  MakeFree("sensor1", "old");
  const auto first = Again("sensor1", "new");
  const std::string batches = Query("select count(*) from registry.dirty_batch");

  const auto again = Again("sensor1", "new");

  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->identity.change, first->identity.change);
  EXPECT_EQ(Query("select count(*) from registry.dirty_batch"), batches);
  EXPECT_TRUE(Enroll("sensor1", "new")->already);
}

TEST_F(ReEnrollmentTest, OnlyARevokedIdentityIsEnrolledAgain) {
  EXPECT_EQ(Again("nobody", "new").error().reason, Reason::kNotFound);
  ASSERT_TRUE(Enroll("sensor1", "key"));
  EXPECT_EQ(Again("sensor1", "new").error().reason, Reason::kIdentityNotRevoked);
  EXPECT_EQ(Again("sensor1", "key").error().reason, Reason::kIdentityNotRevoked) << "it was never revoked";
}

TEST_F(ReEnrollmentTest, EachLifeEndsWithARevocationAndAQuarantineOfItsOwn) {
  MakeFree("sensor1", "key1");
  for (int life = 2; life <= 4; ++life) {
    ASSERT_TRUE(Again("sensor1", "key" + std::to_string(life)));
    const auto revoked = Revoke("sensor1");
    ASSERT_TRUE(revoked);
    EXPECT_FALSE(revoked->already);
    EXPECT_EQ(Again("sensor1", "next").error().reason, Reason::kNameInQuarantine) << "the earlier quarantine does not count";
    Publish(-1);
  }
  EXPECT_EQ(Query("select count(*) from registry.revocation"), "4");
  EXPECT_EQ(Find("sensor1").life, 4);
  EXPECT_TRUE(Revoke("sensor1")->already);
}

TEST_F(ReEnrollmentTest, ListsTellTheLivingFromTheRevoked) {
  MakeFree("again", "key1");
  MakeFree("gone", "key2");
  ASSERT_TRUE(Again("again", "key3"));

  const auto active = ListIdentities(database_, home_->namespace_id, IdentityFilter::kActive, {"", 10});
  const auto revoked = ListIdentities(database_, home_->namespace_id, IdentityFilter::kRevoked, {"", 10});

  ASSERT_EQ(active->size(), 1u);
  EXPECT_EQ(active->front().subject, "again");
  ASSERT_EQ(revoked->size(), 1u);
  EXPECT_EQ(revoked->front().subject, "gone");
}

TEST_F(ReEnrollmentTest, TwoAtOnceGiveOneLife) {
  for (int round = 0; round < 20; ++round) {
    const std::string subject = "sensor" + std::to_string(round);
    MakeFree(subject, subject);

    auto first = std::async(std::launch::async, [&] { return Again(subject, subject + "a"); });
    const auto second = Again(subject, subject + "b");
    const auto other = first.get();

    ASSERT_NE(other.has_value(), second.has_value());
    EXPECT_EQ((other ? second : other).error().reason, Reason::kIdentityNotRevoked);
    const auto found = Find(subject);
    EXPECT_EQ(found.life, 2);
    EXPECT_EQ(found.keys.size(), 2u) << "the loser left no key behind";
  }
}

TEST_F(ReEnrollmentTest, OneKeyForTwoNamesAtOnceIsOneNames) {
  for (int round = 0; round < 20; ++round) {
    const std::string left = "l" + std::to_string(round), right = "r" + std::to_string(round), key = "k" + std::to_string(round);
    MakeFree(left, left);
    MakeFree(right, right);

    auto first = std::async(std::launch::async, [&] { return Again(left, key); });
    const auto second = Again(right, key);

    EXPECT_NE(first.get().has_value(), second.has_value());
  }
}

// Whichever comes first, what holds at the end is what the last acknowledged one said, and no revocation is lost.
TEST_F(ReEnrollmentTest, ARevocationBesideAReEnrollmentIsNeverLost) {
  int ended = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string subject = "sensor" + std::to_string(round);
    MakeFree(subject, subject);

    auto revoking = std::async(std::launch::async, [&] { return Revoke(subject); });
    const auto again = Again(subject, subject + "new");
    const auto revoked = revoking.get();

    ASSERT_TRUE(again && revoked);
    const auto found = Find(subject);
    EXPECT_EQ(found.life, 2);
    EXPECT_EQ(found.revoked_at.has_value(), !revoked->already) << "a revocation that found the identity alive ended that life";
    ended += revoked->already ? 0 : 1;
  }
  RecordProperty("revocations_that_came_second", ended);
}

TEST_F(ReEnrollmentTest, KeysAddedBesideARevocationDieWithTheirLife) {
  for (int round = 0; round < 20; ++round) {
    const std::string subject = "sensor" + std::to_string(round);
    ASSERT_TRUE(Enroll(subject, subject));
    auto adding = std::async(std::launch::async, [&] { return Add(subject, subject + "added"); });
    ASSERT_TRUE(Revoke(subject));
    Publish(-1);

    ASSERT_TRUE(Again(subject, subject + "new"));
    const auto added = adding.get();

    const auto found = Find(subject);
    const KeyRecord* key = found.FindKey(Sha256(subject + "added"));
    EXPECT_EQ(key != nullptr, added.has_value());
    EXPECT_TRUE(key == nullptr || added->identity.life > 1 || key->retired_at);
  }
}

}  // namespace
}  // namespace idzone::store
