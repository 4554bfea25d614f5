// SPDX-License-Identifier: MIT
#include "services/store/database.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>
#include <thread>

#include "services/store/failure.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

using std::chrono::milliseconds;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseOptions Options() const { return {.url = url_, .application_name = "idzone test", .connections_max = 2}; }

  Result<void> Run(Database& database, const std::string& sql) {
    return database.Transact("test", [&](pqxx::transaction_base& transaction) -> Result<void> {
      transaction.exec(sql);
      return {};
    });
  }

  const std::string url_ = PostgresCluster::Get().NewEmptyDatabase();
  Database database_{Options()};
};

TEST_F(DatabaseTest, ReturnsWhatTheBodyReturnsAfterTheCommit) {
  ASSERT_TRUE(Run(database_, "create table t (n integer)"));

  const auto sum = database_.Transact("test", [](pqxx::transaction_base& transaction) -> Result<int> {
    transaction.exec("insert into t values (40), (2)");
    return transaction.exec1("select sum(n) from t")[0].as<int>();
  });

  EXPECT_EQ(sum.value(), 42);
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from t"), "2");
}

TEST_F(DatabaseTest, ErrorOfTheBodyLeavesNothing) {
  ASSERT_TRUE(Run(database_, "create table t (n integer)"));

  const auto refused = database_.Transact("test", [](pqxx::transaction_base& transaction) -> Result<void> {
    transaction.exec("insert into t values (1)");
    return Fail(Reason::kNotFound, "thing", "", "");
  });

  EXPECT_EQ(refused.error().reason, Reason::kNotFound);
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from t"), "0");
}

TEST_F(DatabaseTest, SqlErrorsBecomeReasonsWithoutInternals) {
  ASSERT_TRUE(Run(database_, "create table t (n integer primary key check (n > 0))"));
  ASSERT_TRUE(Run(database_, "insert into t values (1)"));

  EXPECT_EQ(Run(database_, "insert into t values (1)").error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(Run(database_, "insert into t values (-1)").error().reason, Reason::kValueOutOfRange);
  EXPECT_EQ(Run(database_, "select * from missing").error().reason, Reason::kSchemaMismatch);
  const auto syntax = Run(database_, "selec secret");
  EXPECT_EQ(syntax.error().reason, Reason::kInternal);
  EXPECT_EQ(syntax.error().Detail().find("secret"), std::string::npos);
}

TEST_F(DatabaseTest, StatementThatTakesTooLongIsUnavailable) {
  DatabaseOptions options = Options();
  options.statement_timeout = milliseconds(50);
  Database impatient(options);

  EXPECT_EQ(Run(impatient, "select pg_sleep(5)").error().reason, Reason::kUnavailable);
}

TEST_F(DatabaseTest, SettingsHoldInEverySession) {
  DatabaseOptions options = Options();
  options.settings = {{"enable_hashjoin", "off"}, {"application_name", "an odd name"}};
  Database database(options);

  const auto shown = database.Transact("test", [](pqxx::transaction_base& transaction) -> Result<std::string> {
    return transaction.exec1("select current_setting('enable_hashjoin') || current_setting('lock_timeout')")[0].as<std::string>();
  });

  EXPECT_EQ(shown.value(), "off2s");
}

TEST_F(DatabaseTest, KilledSessionIsReplaced) {
  ASSERT_TRUE(Run(database_, "select 1"));
  PostgresCluster::Execute(
      url_, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()");

  static_cast<void>(Run(database_, "select 1"));  // may find the dead session

  EXPECT_TRUE(Run(database_, "select 1"));
}

TEST_F(DatabaseTest, SessionThatDiesInsideATransactionIsUnavailable) {
  const auto lost = Run(database_, "select pg_terminate_backend(pg_backend_pid())");

  EXPECT_EQ(lost.error().reason, Reason::kUnavailable);
  EXPECT_TRUE(Run(database_, "select 1"));
}

TEST_F(DatabaseTest, PoolIsBoundedAndSaysSo) {
  DatabaseOptions options = Options();
  options.connections_max = 1;
  options.acquire_timeout = milliseconds(20);
  Database database(options);

  const auto inner = database.Transact("outer", [&](pqxx::transaction_base&) { return Run(database, "select 1"); });

  EXPECT_EQ(inner.error().reason, Reason::kUnavailable);
  EXPECT_TRUE(Run(database, "select 1"));
}

TEST_F(DatabaseTest, LostRacesRunAgainAndGiveUpInTheEnd) {
  int runs = 0;
  const auto third = database_.Transact("test", [&](pqxx::transaction_base&) -> Result<int> {
    if (++runs < 3) throw LostRace();
    return runs;
  });
  EXPECT_EQ(third.value(), 3);

  runs = 0;
  const auto never = database_.Transact("test", [&](pqxx::transaction_base&) -> Result<int> {
    ++runs;
    throw LostRace();
  });
  EXPECT_EQ(never.error().reason, Reason::kUnavailable);
  EXPECT_EQ(runs, 5);
}

TEST_F(DatabaseTest, ReadOnlySnapshotDoesNotSeeLaterCommitsAndWritesNothing) {
  ASSERT_TRUE(Run(database_, "create table t (n integer)"));
  const auto counted = database_.Transact("read", Isolation::kRepeatableReadOnly, [&](pqxx::transaction_base& transaction) -> Result<int> {
    transaction.exec("select count(*) from t");
    PostgresCluster::Execute(url_, "insert into t values (1)");
    return transaction.exec1("select count(*) from t")[0].as<int>();
  });
  const auto written =
      database_.Transact("write", Isolation::kRepeatableReadOnly, [&](pqxx::transaction_base& transaction) -> Result<void> {
        transaction.exec("insert into t values (2)");
        return {};
      });

  EXPECT_EQ(counted.value(), 0);
  EXPECT_FALSE(written);
}

TEST_F(DatabaseTest, UnreadableUrlAndAbsentServerAreUnavailable) {
  Database nonsense({.url = "postgresql://[", .application_name = "test"});
  Database nobody({.url = "postgresql://postgres@/postgres?host=/nonexistent", .application_name = "test"});

  EXPECT_EQ(nonsense.Ping().error().reason, Reason::kUnavailable);
  EXPECT_EQ(nobody.Ping().error().reason, Reason::kUnavailable);
}

TEST_F(DatabaseTest, RestartedServerIsFoundAgain) {
  ASSERT_TRUE(database_.Ping());

  PostgresCluster::Get().Stop("immediate");
  EXPECT_EQ(database_.Ping().error().reason, Reason::kUnavailable);
  PostgresCluster::Get().Start();

  EXPECT_TRUE(database_.Ping());
}

}  // namespace
}  // namespace idzone::store
