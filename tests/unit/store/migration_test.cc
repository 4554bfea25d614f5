// SPDX-License-Identifier: MIT
#include "services/store/migration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "services/store/database.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

class MigrationTest : public testing::Test {
 protected:
  MigrationTest() {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~MigrationTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& sql) { std::ofstream(directory_ / name) << sql; }
  std::vector<Migration> Read() { return ReadMigrations(directory_).value(); }

  const std::filesystem::path directory_ = testing::TempDir() + "migrations_" + std::to_string(getpid());
  const std::string url_ = PostgresCluster::Get().NewEmptyDatabase();
};

TEST_F(MigrationTest, AppliesWhatIsMissingInOrder) {
  Write("0001_first.sql", "create table a (n integer);");
  ASSERT_EQ(Migrate(url_, Read())->applied.size(), 1u);
  Write("0002_second.sql", "insert into a values (1); insert into a values (2);");

  const auto report = Migrate(url_, Read());

  EXPECT_EQ(report->present, std::vector<std::string>{"0001_first.sql"});
  EXPECT_EQ(report->applied, std::vector<std::string>{"0002_second.sql"});
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from a"), "2");
  EXPECT_TRUE(Migrate(url_, Read())->applied.empty());
}

TEST_F(MigrationTest, FileThatFailsLeavesNothingAndStopsThere) {
  Write("0001_first.sql", "create table a (n integer);");
  Write("0002_broken.sql", "create table b (n integer); select nonsense;");
  Write("0003_third.sql", "create table c (n integer);");

  EXPECT_FALSE(Migrate(url_, Read()));

  EXPECT_EQ(PostgresCluster::Query(url_, "select max(version) from public.schema_version"), "1");
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from pg_tables where tablename in ('b', 'c')"), "0");
}

TEST_F(MigrationTest, AlteredOrMissingFileIsRefused) {
  Write("0001_first.sql", "create table a (n integer);");
  Write("0002_second.sql", "create table b (n integer);");
  ASSERT_TRUE(Migrate(url_, Read()));

  Write("0001_first.sql", "create table a (n bigint);");
  EXPECT_EQ(Migrate(url_, Read()).error().reason, Reason::kSchemaMismatch);
  Write("0001_first.sql", "create table a (n integer);");
  std::filesystem::remove(directory_ / "0002_second.sql");
  EXPECT_EQ(Migrate(url_, Read()).error().reason, Reason::kSchemaMismatch);
}

TEST_F(MigrationTest, TwoAtOnceApplyEachFileOnce) {
  Write("0001_first.sql", "create table a (n integer); select pg_sleep(0.2);");
  Write("0002_second.sql", "insert into a values (1);");
  const auto migrations = Read();
  Result<MigrationReport> other = MigrationReport{};

  std::thread thread([&] { other = Migrate(url_, migrations); });
  const auto mine = Migrate(url_, migrations);
  thread.join();

  ASSERT_TRUE(mine && other);
  EXPECT_EQ(mine->applied.size() + other->applied.size(), 2u);
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from a"), "1");
}

TEST_F(MigrationTest, NamesAndGapsAreChecked) {
  EXPECT_EQ(ReadMigrations(directory_).error().reason, Reason::kNotFound);
  Write("0002_second.sql", "select 1;");
  EXPECT_EQ(ReadMigrations(directory_).error().reason, Reason::kValueMalformed);
  Write("0001_first.sql", "select 1;");
  Write("schema.sql", "the generated summary is no migration");
  EXPECT_TRUE(ReadMigrations(directory_));
  Write("3_third.sql", "select 1;");
  EXPECT_EQ(ReadMigrations(directory_).error().reason, Reason::kValueMalformed);
}

TEST(SchemaTest, CompiledVersionIsTheNewestMigration) {
  const auto migrations = ReadMigrations(IDZONE_SOURCE_DIR "/migrations");

  ASSERT_TRUE(migrations);
  EXPECT_EQ(kSchemaVersionMax, static_cast<int>(migrations->size()));
  EXPECT_LE(kSchemaVersionMin, kSchemaVersionMax);
}

TEST(SchemaTest, CheckSaysWhatToDo) {
  const std::string url = PostgresCluster::Get().NewDatabase();
  Database database({.url = PostgresCluster::As(url, "idzone_provisiond"), .application_name = "test"});
  EXPECT_TRUE(CheckSchema(database));

  PostgresCluster::Execute(url, "delete from public.schema_version where version > 1");
  EXPECT_NE(CheckSchema(database).error().expected.find("idzone migrate"), std::string::npos);
  PostgresCluster::Execute(url, "insert into public.schema_version values (9000, 'x', decode(repeat('00', 32), 'hex'))");
  EXPECT_NE(CheckSchema(database).error().expected.find("newer release"), std::string::npos);

  Database empty({.url = PostgresCluster::Get().NewEmptyDatabase(), .application_name = "test"});
  EXPECT_EQ(CheckSchema(empty).error().reason, Reason::kSchemaMismatch);
}

TEST(FirstAdminTest, IsCreatedOnceAndNeverChanged) {
  const std::string url = PostgresCluster::Get().NewDatabase();
  const FirstAdmin admin{"maker", Octets(32, 'k')};

  EXPECT_TRUE(CreateFirstAdmin(url, admin).value());
  EXPECT_FALSE(CreateFirstAdmin(url, admin).value());

  EXPECT_EQ(CreateFirstAdmin(url, {"acme", admin.fingerprint}).error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(PostgresCluster::Query(url, "select role from registry.principal"), "1");
}

}  // namespace
}  // namespace idzone::store
