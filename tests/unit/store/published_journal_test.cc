// SPDX-License-Identifier: MIT
// The journal as a ring of slots.
#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/feed_store.h"
#include "services/store/published_store.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

constexpr JournalLimits kRoomy{std::chrono::hours(8), std::int64_t{1} << 40};
constexpr JournalLimits kFullAtOnce{std::chrono::hours(8), kJournalSlots};  // one octet a slot

class PublishedJournalTest : public testing::Test {
 protected:
  void Write(dns::Serial serial) {
    Run([&](Transaction& transaction) -> Result<void> {
      InsertVersions(transaction, {{.zone_id = 1,
                                    .position = {1, serial, Octets(32, 'd')},
                                    .previous_serial = serial - 1,
                                    .previous_digest = Octets(32, 'd'),
                                    .types = {dns::RrType::kSoa},
                                    .delta = Octets(10'000, 'x')}});
      return {};
    });
  }
  bool Rotate(const JournalLimits& limits) {
    bool rotated = false;
    Run([&](Transaction& transaction) -> Result<void> {
      rotated = RotateJournal(transaction, limits);
      return {};
    });
    return rotated;
  }
  /// Returns the serials that a follower would be sent.
  std::vector<dns::Serial> Read(dns::Serial after) {
    Database feedd({.url = PostgresCluster::As(url_, "idzone_feedd"), .application_name = "test", .settings = FeedSessionSettings()});
    std::vector<dns::Serial> serials;
    const auto journals =
        ReadJournals(feedd, {{1, {1, after, Octets(32, 'd')}}}, {.versions_max = 64, .octets_max = 1 << 20, .delta_max = 1 << 20});
    EXPECT_TRUE(journals);
    for (const FeedVersion& version : journals->at(1)) serials.push_back(version.position.serial);
    return serials;
  }
  template <typename Body>
  void Run(Body body) {
    const Result<void> ran = database_.Transact("test", body);
    ASSERT_TRUE(ran) << ran.error().Detail();
  }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_signerd"), .application_name = "test", .settings = SignerSessionSettings()}};
};

TEST_F(PublishedJournalTest, StaysInASlotThatHasTimeAndRoom) {
  Write(2);

  EXPECT_FALSE(Rotate(kRoomy));
}

TEST_F(PublishedJournalTest, GoesOnWhenTheTimeOfASlotIsOver) {
  Write(2);
  PostgresCluster::Execute(url_, "update published.journal set began_at = now() - interval '61 minutes'");

  EXPECT_TRUE(Rotate(kRoomy));

  EXPECT_FALSE(Rotate(kRoomy));
  EXPECT_EQ(PostgresCluster::Query(url_, "select slot from published.journal"), "1");
}

TEST_F(PublishedJournalTest, FollowersReadAcrossSlotsInOrder) {
  for (dns::Serial serial = 2; serial < 8; ++serial) {
    Write(serial);
    EXPECT_TRUE(Rotate(kFullAtOnce));
  }

  EXPECT_EQ(Read(1), (std::vector<dns::Serial>{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Read(4), (std::vector<dns::Serial>{5, 6, 7}));
}

TEST_F(PublishedJournalTest, TheOldestSlotIsEmptiedToBecomeTheNext) {
  for (dns::Serial serial = 2; serial < 22; ++serial) {
    Write(serial);
    ASSERT_TRUE(Rotate(kFullAtOnce));
  }
  Write(22);

  // Twenty versions went into twenty slots, one after the other, and seven of those have not been taken again.
  EXPECT_EQ(Read(1), (std::vector<dns::Serial>{15, 16, 17, 18, 19, 20, 21, 22}));
}

TEST_F(PublishedJournalTest, OneSignerAtATimeGoesOn) {
  pqxx::connection other(PostgresCluster::As(url_, "idzone_signerd"));
  pqxx::work held(other);
  held.exec("select slot from published.journal for update");

  EXPECT_FALSE(Rotate(kFullAtOnce));
}

TEST_F(PublishedJournalTest, LargeDeltasAreNotCompressed) {
  Write(2);
  PostgresCluster::Execute(url_, "update published.journal set slot = 5");
  Write(3);

  EXPECT_EQ(PostgresCluster::Query(url_,
                                   "select count(*) from pg_attribute where attname = 'delta' and attstorage = 'e'"
                                   " and attrelid::regclass::text ~ '^published.version'"),
            "9");
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from published.version where pg_column_size(delta) = 10000"), "2");
}

}  // namespace
}  // namespace idzone::store
