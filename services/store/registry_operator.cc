// SPDX-License-Identifier: MIT
#include "services/store/registry_operator.h"

#include "services/store/database.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kInsertOperator{"operator_insert",
                                    "insert into registry.operator (operator_id, display_name) values ($1::text, $2::text)"
                                    " on conflict do nothing"};
constexpr Statement kFindOperator{"operator_find",
                                  "select operator_id, display_name, extract(epoch from created_at)::bigint"
                                  " from registry.operator where operator_id = $1::text"};
constexpr Statement kListOperators{"operator_list",
                                   "select operator_id, display_name, extract(epoch from created_at)::bigint"
                                   " from registry.operator where operator_id > $1::text order by operator_id limit $2::bigint"};
constexpr Statement kInsertPrincipal{"principal_insert",
                                     "insert into registry.principal (fingerprint, operator_id, display_name, role)"
                                     " values ($1::bytea, $2::text, $3::text, $4::smallint) on conflict do nothing"};
constexpr Statement kFindPrincipal{"principal_find",
                                   "select fingerprint, operator_id, display_name, role, extract(epoch from created_at)::bigint,"
                                   " extract(epoch from disabled_at)::bigint from registry.principal where fingerprint = $1::bytea"};
constexpr Statement kListPrincipals{"principal_list",
                                    "select fingerprint, operator_id, display_name, role, extract(epoch from created_at)::bigint,"
                                    " extract(epoch from disabled_at)::bigint from registry.principal"
                                    " where fingerprint > $1::bytea order by fingerprint limit $2::bigint"};
constexpr Statement kDisablePrincipal{
    "principal_disable", "update registry.principal set disabled_at = now() where fingerprint = $1::bytea and disabled_at is null"};

OperatorRecord ReadOperator(const pqxx::row& row) {
  return {row[0].as<std::string>(), row[1].as<std::string>(), TimeOf(row[2])};
}

PrincipalRecord ReadPrincipal(const pqxx::row& row) {
  return {.fingerprint = OctetsOf(row[0]),
          .operator_id = row[1].as<std::string>(),
          .display_name = row[2].as<std::string>(),
          .role = row[3].as<int>(),
          .created_at = TimeOf(row[4]),
          .disabled_at = OptionalTimeOf(row[5])};
}

Result<PrincipalRecord> FindPrincipalIn(Transaction& transaction, OctetsView fingerprint) {
  const pqxx::result found = Execute(transaction, kFindPrincipal, Bytea(fingerprint));
  if (found.empty()) return Fail(Reason::kNotFound, "principal", "a registered key", HexEncode(fingerprint));
  return ReadPrincipal(found.front());
}

}  // namespace

Result<OperatorRecord> CreateOperator(Database& database, const Actor& actor, const std::string& operator_id,
                                      const std::string& display_name) {
  return database.Transact("create operator", [&](Transaction& transaction) -> Result<OperatorRecord> {
    if (Execute(transaction, kInsertOperator, operator_id, display_name).affected_rows() == 1)
      WriteEvent(transaction, actor, {.kind = "operator.created", .detail = JsonObject({{"operator", operator_id}})});
    OperatorRecord record = ReadOperator(Execute(transaction, kFindOperator, operator_id).at(0));
    if (record.display_name != display_name)
      return Fail(Reason::kAlreadyExists, "operator " + operator_id, "display name \"" + record.display_name + "\"",
                  "\"" + display_name + "\"");
    return record;
  });
}

Result<std::vector<OperatorRecord>> ListOperators(Database& database, const PageOf& page) {
  return database.Transact("list operators", [&](Transaction& transaction) -> Result<std::vector<OperatorRecord>> {
    std::vector<OperatorRecord> records;
    for (const pqxx::row& row : Execute(transaction, kListOperators, page.after, page.limit)) records.push_back(ReadOperator(row));
    return records;
  });
}

Result<PrincipalRecord> CreatePrincipal(Database& database, const Actor& actor, const NewPrincipal& principal) {
  return database.Transact("create principal", [&](Transaction& transaction) -> Result<PrincipalRecord> {
    if (Execute(transaction, kFindOperator, principal.operator_id).empty())
      return Fail(Reason::kNotFound, "operator_id", "an existing operator", principal.operator_id);
    const auto inserted =
        Execute(transaction, kInsertPrincipal, Bytea(principal.fingerprint), principal.operator_id, principal.display_name, principal.role);
    if (inserted.affected_rows() == 1)
      WriteEvent(transaction, actor,
                 {.kind = "principal.created",
                  .detail = JsonObject({{"principal", HexEncode(principal.fingerprint)}, {"operator", principal.operator_id}})});
    auto record = FindPrincipalIn(transaction, principal.fingerprint);
    if (record && (record->operator_id != principal.operator_id || record->role != principal.role))
      return Fail(Reason::kAlreadyExists, "principal " + HexEncode(principal.fingerprint),
                  "operator " + record->operator_id + ", role " + std::to_string(record->role),
                  "operator " + principal.operator_id + ", role " + std::to_string(principal.role));
    return record;
  });
}

Result<PrincipalRecord> FindPrincipal(Database& database, OctetsView fingerprint) {
  return database.Transact("find principal", [&](Transaction& transaction) { return FindPrincipalIn(transaction, fingerprint); });
}

Result<std::vector<PrincipalRecord>> ListPrincipals(Database& database, const PageOf& page) {
  return database.Transact("list principals", [&](Transaction& transaction) -> Result<std::vector<PrincipalRecord>> {
    std::vector<PrincipalRecord> records;
    for (const pqxx::row& row : Execute(transaction, kListPrincipals, Bytea(page.after), page.limit)) records.push_back(ReadPrincipal(row));
    return records;
  });
}

Result<PrincipalRecord> DisablePrincipal(Database& database, const Actor& actor, OctetsView fingerprint) {
  return database.Transact("disable principal", [&](Transaction& transaction) -> Result<PrincipalRecord> {
    if (Execute(transaction, kDisablePrincipal, Bytea(fingerprint)).affected_rows() == 1)
      WriteEvent(transaction, actor, {.kind = "principal.disabled", .detail = JsonObject({{"principal", HexEncode(fingerprint)}})});
    return FindPrincipalIn(transaction, fingerprint);
  });
}

}  // namespace idzone::store
