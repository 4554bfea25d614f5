// SPDX-License-Identifier: MIT
#include "services/store/registry_policy.h"

#include "services/store/database.h"
#include "services/store/policy_row.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kInsert{
    "policy_insert",
    "insert into registry.policy (name, ttl, negative_ttl, apex_ttl, identity_life, identity_resign, denial_life, denial_resign,"
    " apex_life, apex_resign, soa_refresh, soa_retry, soa_expire, key_scope, key_scheme, key_life, zsk_life)"
    " values ($1::text, $2::integer, $3::integer, $4::integer, $5::integer, $6::integer, $7::integer, $8::integer, $9::integer,"
    " $10::integer, $11::integer, $12::integer, $13::integer, $14::smallint, $15::smallint, $16::bigint, $17::bigint) on conflict do "
    "nothing"};
#define IDZONE_POLICY_SELECT \
  "select " IDZONE_POLICY_COLUMNS ", p.built_in, extract(epoch from p.created_at)::bigint as created_at from registry.policy p"
constexpr Statement kFind{"policy_find", IDZONE_POLICY_SELECT " where p.name = $1::text"};
constexpr Statement kList{"policy_list", IDZONE_POLICY_SELECT " where p.name > $1::text order by p.name limit $2::bigint"};
#undef IDZONE_POLICY_SELECT

PolicyRecord Read(const pqxx::row& row) {
  return {ReadPolicy(row), row["built_in"].as<bool>(), TimeOf(row["created_at"])};
}

Result<PolicyRecord> FindIn(Transaction& transaction, const std::string& name) {
  const pqxx::result found = Execute(transaction, kFind, name);
  if (found.empty()) return Fail(Reason::kNotFound, "policy", "one of `idzone policy list`", name);
  return Read(found.front());
}

int Seconds(std::chrono::seconds span) {
  return static_cast<int>(span.count());
}

}  // namespace

Result<PolicyRecord> CreatePolicy(Database& database, const Actor& actor, const zone::ZonePolicy& policy) {
  return database.Transact("create policy", [&](Transaction& transaction) -> Result<PolicyRecord> {
    const auto inserted = Execute(
        transaction, kInsert, policy.name, static_cast<int>(policy.ttl), static_cast<int>(policy.negative_ttl),
        static_cast<int>(policy.apex_ttl), Seconds(policy.identity.life), Seconds(policy.identity.resign), Seconds(policy.denial.life),
        Seconds(policy.denial.resign), Seconds(policy.apex.life), Seconds(policy.apex.resign), Seconds(policy.soa_refresh),
        Seconds(policy.soa_retry), Seconds(policy.soa_expire), static_cast<int>(policy.keys.scope), static_cast<int>(policy.keys.scheme),
        static_cast<std::int64_t>(policy.keys.key_life.count()), static_cast<std::int64_t>(policy.keys.zsk_life.count()));
    auto there = FindIn(transaction, policy.name);
    if (there && there->policy != policy)
      return Fail(Reason::kAlreadyExists, "policy", policy.name + " as it exists: policies are never changed", "another");
    if (inserted.affected_rows() == 1)
      WriteEvent(transaction, actor, {.kind = "policy.created", .detail = JsonObject({{"policy", policy.name}})});
    return there;
  });
}

Result<PolicyRecord> FindPolicy(Database& database, const std::string& name) {
  return database.Transact("find policy", [&](Transaction& transaction) { return FindIn(transaction, name); });
}

Result<std::vector<PolicyRecord>> ListPolicies(Database& database, const PageOf& page) {
  return database.Transact("list policies", [&](Transaction& transaction) -> Result<std::vector<PolicyRecord>> {
    std::vector<PolicyRecord> records;
    for (const pqxx::row& row : Execute(transaction, kList, page.after, page.limit)) records.push_back(Read(row));
    return records;
  });
}

}  // namespace idzone::store
