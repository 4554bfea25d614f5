// SPDX-License-Identifier: MIT
#include "services/store/encoding.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

/// Rows that one call removes at most, so that pruning never holds up publishing.
constexpr std::int64_t kPrunedMax = 500;

constexpr Statement kInsertVersion{"published_insert_version", R"(
with written as (
    insert into published.version (zone_id, epoch, serial, previous_serial, previous_digest, digest, rr_types, delta)
    values ($1::integer, $2::bigint, $3::bigint, $4::bigint, $5::bytea, $6::bytea, $7::smallint[]::published.rr_types, $8::bytea))
select pg_notify('idzone_published', ''))"};

// A batch that a restored database brings back into the queue is published again: the later version counts.
constexpr Statement kInsertBatches{"published_insert_batches", R"(
insert into published.batch (batch_id, zone_id, epoch, serial)
select u.batch_id, $1::integer, $2::bigint, $3::bigint from unnest($4::bigint[]) u(batch_id)
on conflict (batch_id) do nothing)"};

// The oldest rows of the primary key. RFC 1982: after the serial has wrapped around, the greatest numbers are the oldest
// ones, so "older" is the half of the circle behind the newest serial, and not "smaller".
constexpr Statement kPruneVersions{"published_prune_versions", R"(
delete from published.version v using (
    select w.epoch, w.serial from published.version w
     where w.zone_id = $1::integer
       and (w.epoch < $2::bigint or (w.epoch = $2::bigint and w.serial <> $3::bigint))
     order by w.zone_id, w.epoch, w.serial limit $6::bigint) o
 where v.zone_id = $1::integer and v.epoch = o.epoch and v.serial = o.serial
   and (v.epoch < $2::bigint or v.created_at < to_timestamp($5::bigint)
        or (($3::bigint - v.serial + 4294967296) % 4294967296) between $4::bigint and 2147483647))"};

constexpr Statement kPruneBatches{"published_prune_batches", R"(
delete from published.batch b using (
    select o.batch_id from published.batch o order by o.batch_id limit $2::bigint) old
 where b.batch_id = old.batch_id and b.created_at < to_timestamp($1::bigint))"};

std::vector<std::int16_t> TypeCodes(const std::vector<dns::RrType>& types) {
  std::vector<std::int16_t> codes;
  for (const dns::RrType type : types) codes.push_back(static_cast<std::int16_t>(type));
  return codes;
}

}  // namespace

void InsertVersion(Transaction& transaction, std::int32_t zone_id, const VersionRow& version) {
  Execute(transaction, kInsertVersion, zone_id, static_cast<std::int64_t>(version.position.epoch),
          static_cast<std::int64_t>(version.position.serial), static_cast<std::int64_t>(version.previous_serial),
          Bytea(version.previous_digest), Bytea(version.position.digest), SmallintArray(TypeCodes(version.types)), Bytea(version.delta));
}

void InsertBatches(Transaction& transaction, std::int32_t zone_id, const zone::ZonePosition& position,
                   const std::vector<std::int64_t>& batch_ids) {
  if (batch_ids.empty()) return;
  Execute(transaction, kInsertBatches, zone_id, static_cast<std::int64_t>(position.epoch), static_cast<std::int64_t>(position.serial),
          BigintArray(batch_ids));
}

std::int64_t PruneVersions(Transaction& transaction, std::int32_t zone_id, const zone::ZonePosition& newest, const JournalLimits& limits) {
  const pqxx::result removed =
      Execute(transaction, kPruneVersions, zone_id, static_cast<std::int64_t>(newest.epoch), static_cast<std::int64_t>(newest.serial),
              limits.versions_max, static_cast<std::int64_t>(limits.kept_since.time_since_epoch().count()), kPrunedMax);
  return static_cast<std::int64_t>(removed.affected_rows());
}

std::int64_t PruneBatches(Transaction& transaction, UnixTime kept_since) {
  const pqxx::result removed =
      Execute(transaction, kPruneBatches, static_cast<std::int64_t>(kept_since.time_since_epoch().count()), kPrunedMax);
  return static_cast<std::int64_t>(removed.affected_rows());
}

}  // namespace idzone::store
