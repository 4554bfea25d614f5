// SPDX-License-Identifier: MIT
#include "services/store/registry_identity.h"

#include <algorithm>

#include "services/store/database.h"
#include "services/store/registry_batch.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kList{"identity_list", "select " IDZONE_IDENTITY_COLUMNS " from registry.identity i" IDZONE_IDENTITY_JOINS
                                           " where i.namespace_id = $1::integer and i.subject > $2::text"
                                           " and ($3::integer = 0 or ($3::integer = 1) = (r.identity_id is null))"
                                           " order by i.namespace_id, i.subject limit $4::bigint"};
constexpr Statement kNewestWaiting{"change_newest_waiting",
                                   "select coalesce(max(batch_id), 0) from registry.dirty_batch where namespace_id = $1::integer"};
constexpr Statement kAnyWaiting{
    "change_any_waiting", "select exists (select 1 from registry.dirty_batch where namespace_id = $1::integer and batch_id <= $2::bigint)"};
constexpr Statement kChanges{"change_read",
                             "select u.id, d.batch_id is not null, coalesce(d.namespace_id, z.namespace_id), z.name_text, b.epoch, b.serial"
                             " from unnest($1::bigint[]) with ordinality u(id, o)"
                             " left join registry.dirty_batch d on d.batch_id = u.id"
                             " left join published.batch b on b.batch_id = u.id"
                             " left join published.zone z on z.zone_id = b.zone_id order by u.o"};
constexpr Statement kZone{"change_zone", "select name_text, epoch, serial, cuts_made from published.zone where name = $1::bytea"};
constexpr Statement kAnyEdge{"change_any_edge", "select exists (select 1 from registry.edge)"};
// RFC 1982 in numbers: a position is older when the way from it to the needed serial is shorter than half of the circle.
constexpr Statement kEdgesBehind{"change_edges_behind", R"(
with needed as (
    select distinct u.zone_id, u.epoch, u.serial from unnest($1::bigint[]) c(id) join published.batch b on b.batch_id = c.id
     cross join lateral unnest(coalesce(b.zone_ids, array[b.zone_id]), coalesce(b.epochs, array[b.epoch]),
                               coalesce(b.serials, array[b.serial])) u(zone_id, epoch, serial)
     union all
    select z.zone_id, z.epoch, z.serial from published.zone z where z.namespace_id = $2::integer and $3::boolean)
select e.edge_id from registry.edge e where exists (
    select 1 from needed d left join published.edge_position p on p.edge_id = e.edge_id and p.zone_id = d.zone_id
     where p.zone_id is null or p.epoch < d.epoch
        or (p.epoch = d.epoch and (d.serial - p.serial + 4294967296) % 4294967296 between 1 and 2147483647))
union
select p.secondary_id from needed d join published.secondary_position p on p.zone_id = d.zone_id
 where p.epoch < d.epoch or (p.epoch = d.epoch and (d.serial - p.serial + 4294967296) % 4294967296 between 1 and 2147483647)
 order by 1)"};

Result<ChangeState> ReadChange(const pqxx::row& row, const NamespaceRecord& home) {
  ChangeState state{.change = row[0].as<std::uint64_t>(), .published = !row[1].as<bool>(), .version = std::nullopt};
  if (!row[2].is_null() && row[2].as<std::int32_t>() != home.namespace_id)
    return Fail(Reason::kNotFound, "changes", "changes of " + home.name.Format(), std::to_string(state.change));
  if (!row[3].is_null()) state.version = PublishedIn{row[3].as<std::string>(), row[4].as<std::uint32_t>(), row[5].as<std::uint32_t>()};
  return state;
}

Result<ChangeReport> ReadChangesIn(Transaction& transaction, const NamespaceRecord& home, const std::vector<std::uint64_t>& changes,
                                   std::uint64_t upto, bool at_edges) {
  ChangeReport report;
  std::uint32_t cuts_made = 0;
  if (const pqxx::result zone = Execute(transaction, kZone, Bytea(home.name.wire())); !zone.empty()) {
    report.zone = PublishedIn{zone[0][0].as<std::string>(), zone[0][1].as<std::uint32_t>(), zone[0][2].as<std::uint32_t>()};
    cuts_made = zone[0][3].as<std::uint32_t>();
  }
  report.all_published = report.zone.has_value();
  if (changes.empty()) {
    report.all_published = report.all_published && cuts_made >= home.cuts_wanted;
    report.all_published = report.all_published && !Execute(transaction, kAnyWaiting, home.namespace_id, upto)[0][0].as<bool>();
  } else {
    const std::vector<std::int64_t> ids(changes.begin(), changes.end());
    for (const pqxx::row& row : Execute(transaction, kChanges, BigintArray(ids))) {
      auto state = ReadChange(row, home);
      if (!state) return tl::unexpected(state.error());
      report.all_published = report.all_published && state->published;
      report.changes.push_back(std::move(*state));
    }
  }
  if (!at_edges) return report;
  const bool forgotten = std::any_of(report.changes.begin(), report.changes.end(),
                                     [](const ChangeState& change) { return change.published && !change.version; });
  const std::vector<std::int64_t> known(changes.begin(), changes.end());
  report.any_edge = Execute(transaction, kAnyEdge)[0][0].as<bool>();
  for (const pqxx::row& row : Execute(transaction, kEdgesBehind, BigintArray(known), home.namespace_id, changes.empty() || forgotten))
    report.edges_behind.push_back(row[0].as<std::string>());
  return report;
}

}  // namespace

Result<IdentityRecord> FindIdentity(Database& database, OctetsView identity_id, const std::string& subject) {
  return database.Transact("find identity", [&](Transaction& transaction) -> Result<IdentityRecord> {
    auto found = ReadIdentities(transaction, {identity_id});
    if (found.empty()) return Fail(Reason::kNotFound, "id", "an enrolled identity", subject);
    return std::move(found.begin()->second);
  });
}

Result<std::vector<IdentityRecord>> ListIdentities(Database& database, std::int32_t namespace_id, IdentityFilter filter,
                                                   const PageOf& page) {
  return database.Transact("list identities", [&](Transaction& transaction) -> Result<std::vector<IdentityRecord>> {
    std::vector<IdentityRecord> records;
    const int wanted = filter == IdentityFilter::kAll ? 0 : (filter == IdentityFilter::kActive ? 1 : 2);
    for (const pqxx::row& row : Execute(transaction, kList, namespace_id, page.after, wanted, page.limit))
      records.push_back(ReadIdentity(row));
    std::vector<IdentityRecord*> found;
    for (IdentityRecord& record : records) found.push_back(&record);
    ReadKeys(transaction, found);
    return records;
  });
}

Result<std::uint64_t> NewestWaitingChange(Database& database, std::int32_t namespace_id) {
  return database.Transact("newest waiting change", [&](Transaction& transaction) -> Result<std::uint64_t> {
    return Execute(transaction, kNewestWaiting, namespace_id)[0][0].as<std::uint64_t>();
  });
}

Result<ChangeReport> ReadChanges(Database& database, const NamespaceRecord& home, const std::vector<std::uint64_t>& changes,
                                 std::uint64_t upto, bool at_edges) {
  // One snapshot for several statements, so that "published" and "zone version" cannot contradict each other.
  return database.Transact("read changes", Isolation::kRepeatableReadOnly,
                           [&](Transaction& transaction) { return ReadChangesIn(transaction, home, changes, upto, at_edges); });
}

}  // namespace idzone::store
