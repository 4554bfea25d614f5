// SPDX-License-Identifier: MIT
// Least privilege, by trying what must fail: each role, each statement that its process has no business with.
#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "tests/unit/store/postgres_cluster.h"

namespace idzone::store {
namespace {

const std::string& Url() {
  static const std::string url = PostgresCluster::Get().NewDatabase();
  return url;
}

/// Says whether PostgreSQL refuses the statement for want of privilege.
bool IsForbidden(const std::string& role, const std::string& sql) {
  pqxx::connection connection(PostgresCluster::As(Url(), role));
  pqxx::work transaction(connection);
  try {
    transaction.exec(sql);
    return false;
  } catch (const pqxx::insufficient_privilege&) {
    return true;
  }
}

struct Case {
  const char* role;
  const char* sql;
};

class ForbiddenTest : public testing::TestWithParam<Case> {};

TEST_P(ForbiddenTest, IsRefused) {
  EXPECT_TRUE(IsForbidden(GetParam().role, GetParam().sql)) << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Provisiond, ForbiddenTest,
    testing::Values(
        Case{"idzone_provisiond", "delete from registry.identity"}, Case{"idzone_provisiond", "update registry.identity set subject = 'x'"},
        Case{"idzone_provisiond", "delete from registry.revocation"},
        Case{"idzone_provisiond", "update registry.revocation set reason = ''"},
        Case{"idzone_provisiond", "update registry.policy set ttl = 1"}, Case{"idzone_provisiond", "delete from registry.policy"},
        Case{"idzone_provisiond", "update registry.clock_word set given_at = now()"},
        Case{"idzone_provisiond", "delete from published.alarm"}, Case{"idzone_provisiond", "delete from registry.reenrollment"},
        Case{"idzone_provisiond", "update registry.reenrollment set ended_life = 2"},
        Case{"idzone_provisiond", "update published.quarantine set ends_at = now()"},
        Case{"idzone_provisiond", "insert into published.quarantine (batch_id) values (1)"},
        Case{"idzone_provisiond", "update registry.credential set rdata = ''"}, Case{"idzone_provisiond", "delete from registry.event"},
        Case{"idzone_provisiond", "update registry.event set kind = ''"},
        Case{"idzone_provisiond", "update registry.principal set role = 1"}, Case{"idzone_provisiond", "delete from registry.dirty_batch"},
        Case{"idzone_provisiond", "update published.zone set serial = 1"}, Case{"idzone_provisiond", "delete from published.node"},
        Case{"idzone_provisiond", "update published.key set uses = 0"},
        Case{"idzone_provisiond", "update published.keyset set revision = 9"},
        Case{"idzone_provisiond", "delete from registry.key_command"}, Case{"idzone_provisiond", "delete from registry.retirement"},
        Case{"idzone_provisiond", "delete from registry.authority"}, Case{"idzone_provisiond", "update registry.authority set rdata = ''"},
        Case{"idzone_provisiond", "truncate registry.identity"}, Case{"idzone_provisiond", "create table public.t (n integer)"},
        Case{"idzone_provisiond", "create schema s"}, Case{"idzone_provisiond", "delete from public.schema_version"}));
INSTANTIATE_TEST_SUITE_P(
    Signerd, ForbiddenTest,
    testing::Values(Case{"idzone_signerd", "delete from registry.revocation"}, Case{"idzone_signerd", "delete from registry.identity"},
                    Case{"idzone_signerd", "update registry.credential set rdata = ''"},
                    Case{"idzone_signerd", "update registry.authority set removed_at = null"},
                    Case{"idzone_signerd", "insert into registry.reenrollment (identity_id) values (null)"},
                    Case{"idzone_signerd", "delete from published.quarantine"},
                    Case{"idzone_signerd", "insert into registry.clock_word (namespace_id) values (1)"},
                    Case{"idzone_signerd", "update registry.policy set ttl = 1"},
                    Case{"idzone_signerd", "select * from registry.principal"},
                    Case{"idzone_signerd", "insert into registry.principal (fingerprint) values ('')"},
                    Case{"idzone_signerd", "insert into registry.dirty_batch (batch_id) values (1)"},
                    Case{"idzone_signerd", "update published.version set delta = ''"},
                    Case{"idzone_signerd", "delete from published.version"}, Case{"idzone_signerd", "select * from published.version_0"},
                    Case{"idzone_signerd", "truncate published.version"}, Case{"idzone_signerd", "delete from published.zone"},
                    Case{"idzone_signerd", "update published.key set dnskey = ''"}, Case{"idzone_signerd", "delete from registry.event"},
                    Case{"idzone_signerd", "delete from published.key"},
                    Case{"idzone_signerd", "insert into registry.key_command (namespace_id, kind) values (1, 2)"},
                    Case{"idzone_signerd", "update published.edge_position set serial = 1"},
                    Case{"idzone_signerd", "alter table published.node drop constraint node_check"}));
INSTANTIATE_TEST_SUITE_P(
    Feedd, ForbiddenTest,
    testing::Values(Case{"idzone_feedd", "select * from registry.identity"}, Case{"idzone_feedd", "select * from registry.credential"},
                    Case{"idzone_feedd", "select * from registry.principal"}, Case{"idzone_feedd", "select * from registry.event"},
                    Case{"idzone_feedd", "select * from published.key"}, Case{"idzone_feedd", "update published.zone set serial = 1"},
                    Case{"idzone_feedd", "insert into published.version (zone_id) values (1)"},
                    Case{"idzone_feedd", "truncate published.version_3"}, Case{"idzone_feedd", "update published.journal set slot = 1"},
                    Case{"idzone_feedd", "delete from published.node"}, Case{"idzone_feedd", "select * from published.alarm"},
                    Case{"idzone_feedd", "select * from registry.policy"},
                    Case{"idzone_feedd", "insert into registry.edge (edge_id) values ('x')"},
                    Case{"idzone_feedd", "delete from published.edge_position"}));

}  // namespace
}  // namespace idzone::store
