// SPDX-License-Identifier: MIT
#include "services/store/registry_cut.h"

#include <charconv>

#include "services/core/base/limits.h"
#include "services/store/database.h"
#include "services/store/encoding.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

// Enrollments share the lock, a new cut has it alone: it sees every identity that was let in before it, and every enrollment after
// it sees the cut. The first number keeps these locks apart from everybody else's advisory locks ("cut").
constexpr Statement kLockShared{"cut_lock_shared", "select pg_advisory_xact_lock_shared(2054123111, n) from unnest($1::integer[]) u(n)"};
constexpr Statement kLockAlone{"cut_lock_alone", "select pg_advisory_xact_lock(2054123111, $1::integer)"};

// An edge serves the zone below a cut from the moment on in which it serves the delegation.
#define IDZONE_EDGES_BEHIND                                                                                  \
  "(select array_agg(e.edge_id order by e.edge_id) from registry.edge e left join published.edge_position p" \
  " on p.edge_id = e.edge_id and p.zone_id = z.zone_id where coalesce(p.epoch, 0) = 0)"

constexpr Statement kOpen{"cut_open",
                          "update registry.cut c set opened_at = now() from published.zone z where c.namespace_id = any($1::integer[])"
                          " and c.opened_at is null and z.name = c.name and " IDZONE_EDGES_BEHIND " is null"};
constexpr Statement kClosed{"cut_closed",
                            "select c.namespace_id, c.prefix from registry.cut c where c.namespace_id = any($1::integer[])"
                            " and c.opened_at is null"};
constexpr Statement kList{"cut_list",
                          "select c.number, c.prefix, c.name, extract(epoch from c.requested_at)::bigint, c.opened_at is not null,"
                          " z.zone_id is not null, " IDZONE_EDGES_BEHIND
                          " from registry.cut c left join published.zone z on z.name = c.name"
                          " where c.namespace_id = $1::integer and c.number > $2::integer and ($3::text = '' or c.prefix = $3::text)"
                          " order by c.number limit $4::bigint"};
constexpr Statement kLongerCut{
    "cut_longer", "select prefix from registry.cut where namespace_id = $1::integer and starts_with(prefix, $2::text) limit 1"};
constexpr Statement kIdentityBelow{
    "cut_identity_below",
    "select subject from registry.identity where namespace_id = $1::integer and starts_with(subject, $2::text) limit 1"};
// The signer looks by itself, too; the word makes it look at once.
constexpr Statement kInsert{"cut_insert",
                            "with added as (insert into registry.cut (namespace_id, number, name, prefix)"
                            " select $1::integer, coalesce(max(number), 0) + 1, $2::bytea, $3::text from registry.cut"
                            " where namespace_id = $1::integer having coalesce(max(number), 0) < $4::integer returning number)"
                            " select number, pg_notify('idzone_dirty', '') from added"};

#undef IDZONE_EDGES_BEHIND

Result<CutRecord> Read(const pqxx::row& row) {
  auto zone = dns::Name::FromWire(OctetsOf(row[2]), "registry.cut.name");
  if (!zone) return tl::unexpected(zone.error());
  CutRecord cut{.number = row[0].as<std::int32_t>(),
                .prefix = row[1].as<std::string>(),
                .zone = zone->Format(),
                .state = CutState::kPreparing,
                .requested_at = TimeOf(row[3])};
  if (row[5].as<bool>()) cut.state = row[4].as<bool>() ? CutState::kOpen : CutState::kDelegated;
  if (!row[6].is_null()) cut.edges_behind = TextListOf(row[6]);
  return cut;
}

Result<std::vector<CutRecord>> ListIn(Transaction& transaction, std::int32_t namespace_id, std::int32_t after, const std::string& prefix,
                                      std::int64_t limit) {
  Execute(transaction, kOpen, IntegerArray({namespace_id}));
  std::vector<CutRecord> cuts;
  for (const pqxx::row& row : Execute(transaction, kList, namespace_id, after, prefix, limit)) {
    auto cut = Read(row);
    if (!cut) return tl::unexpected(cut.error());
    cuts.push_back(*std::move(cut));
  }
  return cuts;
}

Result<CutRecord> AddIn(Transaction& transaction, const Actor& actor, const NamespaceRecord& home, const zone::CutPrefix& prefix) {
  Execute(transaction, kLockAlone, home.namespace_id);
  const auto there = ListIn(transaction, home.namespace_id, 0, prefix.digits, 1);
  if (!there) return tl::unexpected(there.error());
  if (!there->empty()) return there->front();
  if (const auto longer = Execute(transaction, kLongerCut, home.namespace_id, prefix.digits); !longer.empty())
    return Fail(Reason::kAlreadyExists, "prefix", "no cut below " + prefix.digits, "the cut " + longer[0][0].as<std::string>());
  if (const auto below = Execute(transaction, kIdentityBelow, home.namespace_id, prefix.digits); !below.empty())
    return Fail(Reason::kAlreadyExists, "prefix", "no identity, revoked ones included, whose id begins with " + prefix.digits,
                "the identity " + below[0][0].as<std::string>());
  if (Execute(transaction, kInsert, home.namespace_id, Bytea(prefix.zone.wire()), prefix.digits, limits::kCutsPerNamespaceMax).empty())
    return Fail(Reason::kLimitExceeded, "prefix", "at most " + std::to_string(limits::kCutsPerNamespaceMax) + " cuts a namespace",
                "one more");
  WriteEvent(transaction, actor,
             {.kind = "cut.added", .namespace_id = home.namespace_id, .detail = JsonObject({{"prefix", prefix.digits}})});
  const auto added = ListIn(transaction, home.namespace_id, 0, prefix.digits, 1);
  if (!added) return tl::unexpected(added.error());
  IDZONE_INVARIANT(added->size() == 1, "what was inserted is there");
  return added->front();
}

}  // namespace

Result<CutRecord> AddCut(Database& database, const Actor& actor, const NamespaceRecord& home, const zone::CutPrefix& prefix) {
  return database.Transact("add cut", [&](Transaction& transaction) { return AddIn(transaction, actor, home, prefix); });
}

Result<std::vector<CutRecord>> ListCuts(Database& database, std::int32_t namespace_id, const PageOf& page) {
  std::int32_t after = 0;
  std::from_chars(page.after.data(), page.after.data() + page.after.size(), after);
  return database.Transact("list cuts", [&](Transaction& transaction) { return ListIn(transaction, namespace_id, after, "", page.limit); });
}

std::vector<std::pair<std::int32_t, std::string>> ClosedCutsIn(Transaction& transaction, const std::vector<std::int32_t>& namespace_ids) {
  std::vector<std::pair<std::int32_t, std::string>> closed;
  Execute(transaction, kLockShared, IntegerArray(namespace_ids));
  if (Execute(transaction, kClosed, IntegerArray(namespace_ids)).empty()) return closed;
  Execute(transaction, kOpen, IntegerArray(namespace_ids));
  for (const pqxx::row& row : Execute(transaction, kClosed, IntegerArray(namespace_ids)))
    closed.emplace_back(row[0].as<std::int32_t>(), row[1].as<std::string>());
  return closed;
}

}  // namespace idzone::store
