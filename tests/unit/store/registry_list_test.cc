// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "services/store/database.h"
#include "services/store/registry_edge.h"
#include "services/store/registry_namespace.h"
#include "services/store/registry_operator.h"
#include "services/store/registry_zone.h"
#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

class RegistryTest : public testing::Test {
 protected:
  const std::string url_ = PostgresCluster::Get().NewDatabase();
  Database database_{{.url = PostgresCluster::As(url_, "idzone_provisiond"), .application_name = "test"}};
};

TEST_F(RegistryTest, OperatorsAreCreatedOnceAndListedByPage) {
  EXPECT_TRUE(CreateOperator(database_, TestActor(), "zeta", "Zeta \"quoted\"\n"));
  EXPECT_TRUE(CreateOperator(database_, TestActor(), "zeta", "Zeta \"quoted\"\n"));
  EXPECT_EQ(CreateOperator(database_, TestActor(), "zeta", "Other").error().reason, Reason::kAlreadyExists);

  const auto first = ListOperators(database_, {.after = "", .limit = 2});
  const auto second = ListOperators(database_, {.after = first->back().operator_id, .limit = 2});

  EXPECT_EQ(first->size(), 2u);
  EXPECT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().operator_id, "zeta");
  EXPECT_EQ(PostgresCluster::Query(url_, "select count(*) from registry.event"), "1");
}

TEST_F(RegistryTest, PrincipalsKeepTheirOperatorAndRoleAndAreDisabledForEver) {
  const NewPrincipal principal{Octets(32, 'p'), "acme", "line 3", 2};
  ASSERT_TRUE(CreatePrincipal(database_, TestActor(), principal));
  NewPrincipal other = principal;
  other.role = 1;
  EXPECT_EQ(CreatePrincipal(database_, TestActor(), other).error().reason, Reason::kAlreadyExists);
  other.operator_id = "nobody";
  EXPECT_EQ(CreatePrincipal(database_, TestActor(), other).error().reason, Reason::kNotFound);

  EXPECT_TRUE(DisablePrincipal(database_, TestActor(), principal.fingerprint)->disabled_at);
  const auto again = CreatePrincipal(database_, TestActor(), principal);

  EXPECT_TRUE(again->disabled_at);
  EXPECT_EQ(FindPrincipal(database_, Octets(32, 'q')).error().reason, Reason::kNotFound);
  EXPECT_EQ(ListPrincipals(database_, {.after = "", .limit = 10})->size(), 1u);
}

TEST_F(RegistryTest, NamespaceComesBackAsItWasCreated) {
  NamespaceRecord wanted = ValidNamespace();
  wanted.layout = {zone::LayoutKind::kFlat, 0};
  wanted.profile = records::RecordProfile::kTlsa310;
  wanted.name_servers = {"ns2.example.net.", "ns1.example.net."};
  ASSERT_TRUE(CreateNamespace(database_, TestActor(), wanted));

  const auto record = FindNamespace(database_, wanted.name);

  ASSERT_TRUE(record);
  EXPECT_EQ(record->layout, wanted.layout);
  EXPECT_EQ(record->profile, wanted.profile);
  EXPECT_EQ(record->name_servers, wanted.name_servers);
  EXPECT_FALSE(record->zone_exists);
  EXPECT_EQ(FindNamespace(database_, *dns::Name::Parse("_device.other.example.")).error().reason, Reason::kNotFound);
}

TEST_F(RegistryTest, NamespaceWithOtherValuesIsRefusedByTheFieldThatDiffers) {
  ASSERT_TRUE(CreateNamespace(database_, TestActor(), ValidNamespace()));
  EXPECT_TRUE(CreateNamespace(database_, TestActor(), ValidNamespace()));

  NamespaceRecord other = ValidNamespace();
  other.policy = "fast";
  EXPECT_EQ(CreateNamespace(database_, TestActor(), other).error().subject, "policy");
  other = ValidNamespace();
  other.operator_id = "beta";
  EXPECT_EQ(CreateNamespace(database_, TestActor(), other).error().subject, "operator_id");
}

TEST_F(RegistryTest, OperatorsSeeTheirOwnNamespacesOnly) {
  ASSERT_TRUE(CreateNamespace(database_, TestActor(), ValidNamespace("a.example.")));
  NamespaceRecord foreign = ValidNamespace("b.example.");
  foreign.operator_id = "beta";
  ASSERT_TRUE(CreateNamespace(database_, TestActor(), foreign));

  EXPECT_EQ(ListNamespaces(database_, "acme", {.after = "", .limit = 10})->size(), 1u);
  EXPECT_EQ(ListNamespaces(database_, "", {.after = "", .limit = 10})->size(), 2u);
  EXPECT_EQ(ListNamespaces(database_, "", {.after = "_device.a.example.", .limit = 10})->size(), 1u);
}

TEST_F(RegistryTest, EdgeAndKeyBelongTogether) {
  ASSERT_TRUE(RegisterEdge(database_, TestActor(), "edge1", Octets(32, '1')));
  EXPECT_TRUE(RegisterEdge(database_, TestActor(), "edge1", Octets(32, '1')));
  EXPECT_EQ(RegisterEdge(database_, TestActor(), "edge1", Octets(32, '2')).error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(RegisterEdge(database_, TestActor(), "edge2", Octets(32, '1')).error().reason, Reason::kAlreadyExists);
  EXPECT_EQ(FindEdge(database_, "edge2").error().reason, Reason::kNotFound);
  EXPECT_EQ(ListEdges(database_, {.after = "", .limit = 10})->size(), 1u);
}

TEST_F(RegistryTest, ZoneThatIsNotSignedIsNotFound) {
  ASSERT_TRUE(CreateNamespace(database_, TestActor(), ValidNamespace()));

  EXPECT_EQ(FindZone(database_, ValidNamespace().name).error().reason, Reason::kNotFound);
  EXPECT_TRUE(ListZones(database_, "", {.after = "", .limit = 10})->empty());
  EXPECT_EQ(ReadZone(database_, ValidNamespace().name, [](OctetsView, const zone::Node&) { return Result<void>(); }).error().reason,
            Reason::kNotFound);
}

}  // namespace
}  // namespace idzone::store
