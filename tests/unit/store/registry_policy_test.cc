// SPDX-License-Identifier: MIT
#include "services/store/registry_policy.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "services/store/database.h"
#include "services/store/published_store.h"
#include "services/store/registry_namespace.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

using namespace std::chrono_literals;

class PolicyStoreTest : public testing::Test {
 protected:
  Database Open(const char* role) const { return Database({.url = PostgresCluster::As(url_, role), .application_name = "test"}); }

  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test"}};
};

TEST_F(PolicyStoreTest, TheBuiltInOnesAreThoseOfTheCode) {
  for (const char* name : {"fast", "standard", "relaxed"}) {
    const auto found = FindPolicy(database_, name);

    ASSERT_TRUE(found) << name;
    EXPECT_TRUE(found->built_in);
    EXPECT_EQ(found->policy, zone::FindZonePolicy(name).value()) << name;
  }
}

TEST_F(PolicyStoreTest, APolicyIsCreatedOnceAndNeverChanged) {
  const auto policy = zone::MakeZonePolicy("mine", {.ttl = 120, .identity = {24h, 8h}, .denial = zone::SignatureLife{6h, 2h}}).value();

  const auto created = CreatePolicy(database_, TestActor(), policy);
  const auto again = CreatePolicy(database_, TestActor(), policy);
  const auto other = CreatePolicy(database_, TestActor(), zone::MakeZonePolicy("mine", {.ttl = 60, .identity = {24h, 8h}}).value());

  ASSERT_TRUE(created && again);
  EXPECT_EQ(created->policy, policy);
  EXPECT_FALSE(created->built_in);
  EXPECT_EQ(other.error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from registry.event where kind = 'policy.created'"), "1");
  EXPECT_EQ(ListPolicies(database_, {"", 10})->size(), 4u);
}

TEST_F(PolicyStoreTest, ANamespaceNamesAPolicyAndTheSignerReadsItsTimes) {
  const zone::KeyPolicy keys{zone::KeyScope::kZone, zone::KeyScheme::kSplit, 24h * 365, 24h * 30};
  const auto policy = zone::MakeZonePolicy("mine", {.ttl = 120, .identity = {24h, 8h}, .keys = keys}).value();
  auto wanted = ValidNamespace();
  wanted.policy = "mine";
  EXPECT_EQ(CreateNamespace(database_, TestActor(), wanted).error().reason, Reason::kEnumUnknown);
  ASSERT_TRUE(CreatePolicy(database_, TestActor(), policy));

  ASSERT_TRUE(CreateNamespace(database_, TestActor(), wanted));

  Database signer({.url = PostgresCluster::As(url_, "idzone_signerd"), .application_name = "test", .settings = SignerSessionSettings()});
  const auto work = signer.Transact("list", [](Transaction& transaction) { return ListZoneWork(transaction); });
  ASSERT_TRUE(work) << work.error().Detail();
  EXPECT_EQ(work->at(0).registered.policy, policy);
}

// What the code refuses, the database refuses too.
TEST_F(PolicyStoreTest, AnImpossibleRowIsRefused) {
  const std::string columns =
      "insert into registry.policy (name, ttl, negative_ttl, apex_ttl, identity_life, identity_resign, denial_life, denial_resign,"
      " apex_life, apex_resign, soa_refresh, soa_retry, soa_expire) values ";
  EXPECT_NO_THROW(PostgresCluster::Execute(url_, columns + "('ok', 60, 60, 60, 10800, 3600, 10800, 3600, 10800, 3600, 600, 150, 5175)"));
  for (const char* row : {"('a', 60, 60, 60, 10799, 3600, 10800, 3600, 10800, 3600, 600, 150, 5000)",
                          "('b', 60, 60, 60, 10800, 3600, 10799, 3600, 10800, 3600, 600, 150, 5000)",
                          "('c', 3601, 60, 60, 10800, 3600, 10800, 3600, 10800, 3600, 600, 150, 5175)",
                          "('d', 60, 60, 60, 10800, 3600, 10800, 3600, 10800, 3600, 600, 150, 5176)",
                          "('e', 60, 60, 60, 10800, 599, 10800, 3600, 10800, 3600, 600, 150, 5175)",
                          "('F', 60, 60, 60, 10800, 3600, 10800, 3600, 10800, 3600, 600, 150, 5175)"})
    EXPECT_THROW(PostgresCluster::Execute(url_, columns + row), pqxx::check_violation) << row;
}

}  // namespace
}  // namespace idzone::store
