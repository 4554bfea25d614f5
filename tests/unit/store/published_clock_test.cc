// SPDX-License-Identifier: MIT
#include "services/store/published_clock.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>
#include <thread>

#include "services/store/database.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

using namespace std::chrono_literals;

class PublishedClockTest : public testing::Test {
 protected:
  DatabaseOptions Options(const char* role, std::chrono::seconds takeover) const {
    return {
        .url = PostgresCluster::As(url_, role), .application_name = "signer", .connections_max = 1, .settings = TakeoverSettings(takeover)};
  }
  std::string Query(const std::string& sql) const { return PostgresCluster::Query(url_, sql); }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
};

TEST_F(PublishedClockTest, TheClockIsThatOfNowAndNotOfTheTransaction) {
  Database database(Options("idzone_signerd", 60s));
  const auto done = database.Transact("clock", [](Transaction& transaction) -> Result<void> {
    const UnixTime before = ReadDatabaseClock(transaction);
    std::this_thread::sleep_for(1100ms);
    EXPECT_GT(ReadDatabaseClock(transaction), before);
    return {};
  });
  EXPECT_TRUE(done);
}

TEST_F(PublishedClockTest, ATransactionThatStandsStillIsEndedByPostgresqlAndCannotCommit) {
  Database stopped(Options("idzone_signerd", 2s));
  const auto outcome = stopped.Transact("stops", [](Transaction& transaction) -> Result<void> {
    transaction.exec("select 1");
    std::this_thread::sleep_for(3500ms);
    return {};
  });

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::kUnavailable);
}

TEST_F(PublishedClockTest, AnotherSignerEndsWhatNoTimeoutOfPostgresqlDoes) {
  // PostgreSQL itself would wait for an hour; a long statement stands for an answer that nobody reads.
  Database stopped(Options("idzone_signerd", 3600s));
  std::thread stuck([&] {
    const auto outcome = stopped.Transact("stuck", [](Transaction& transaction) -> Result<void> {
      transaction.exec("select pg_sleep(4)");
      return {};
    });
    EXPECT_FALSE(outcome);
  });
  Database other(Options("idzone_signerd", 3600s));
  const auto end = [&](std::chrono::seconds longer_than) {
    return other
        .Transact("end", [&](Transaction& transaction) -> Result<std::int64_t> { return EndStuckSessions(transaction, longer_than); })
        .value();
  };
  std::this_thread::sleep_for(2s);

  EXPECT_EQ(end(3600s), 0) << "a transaction under way is left alone";
  EXPECT_EQ(end(1s), 1);
  stuck.join();
}

TEST_F(PublishedClockTest, SessionsOfOthersAreNotTouched) {
  pqxx::connection owner(url_);
  pqxx::work held(owner);
  held.exec("select 1");
  Database feed(Options("idzone_feedd", 3600s));
  std::this_thread::sleep_for(1100ms);
  Database signer(Options("idzone_signerd", 3600s));

  const auto ended =
      signer.Transact("end", [](Transaction& transaction) -> Result<std::int64_t> { return EndStuckSessions(transaction, 0s); });

  EXPECT_EQ(ended.value(), 0);
  EXPECT_NO_THROW(held.exec("select 1"));
}

TEST_F(PublishedClockTest, AWordHoldsForItsNamespaceFromThenOn) {
  PostgresCluster::Execute(
      url_,
      "insert into registry.namespace (name, name_text, operator_id, layout_kind, layout_width, policy, profile, name_servers)"
      " values ('\\x0161016200', 'a.b.', 'acme', 1, 0, 'standard', 1, '{ns.example.}')");
  Database database(Options("idzone_signerd", 60s));
  const auto load = [&](UnixTime since) {
    return database
        .Transact("word", [&](Transaction& transaction) -> Result<std::optional<UnixTime>> { return LoadClockWord(transaction, 1, since); })
        .value();
  };
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  EXPECT_FALSE(load(now - 1h));

  PostgresCluster::Execute(url_, "insert into registry.clock_word (namespace_id, reason) values (1, 'checked')");

  EXPECT_TRUE(load(now - 1h));
  EXPECT_FALSE(load(now + 1h)) << "an old word does not count";
}

}  // namespace
}  // namespace idzone::store
