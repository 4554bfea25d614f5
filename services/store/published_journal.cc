// SPDX-License-Identifier: MIT
#include "services/store/encoding.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

/// Rows that one call removes at most, so that pruning never holds up publishing.
constexpr std::int64_t kPrunedMax = 500;

// A list of types travels as text: see published_node.cc.
constexpr Statement kInsertVersions{"published_insert_versions", R"(
with written as (
    insert into published.version (zone_id, epoch, serial, previous_serial, previous_digest, digest, rr_types, delta)
    select u.zone_id, u.epoch, u.serial, u.previous_serial, u.previous_digest, u.digest,
           u.rr_types::smallint[]::published.rr_types, u.delta
      from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::bytea[])
           u(zone_id, epoch, serial, previous_serial, previous_digest, digest, rr_types, delta))
select pg_notify('idzone_published', ''))"};

// A batch that a restored database brings back into the queue is published again: the later version counts.
constexpr Statement kInsertBatches{"published_insert_batches", R"(
insert into published.batch (batch_id, zone_id, epoch, serial, zone_ids, epochs, serials)
select u.batch_id, u.zone_id, u.epoch, u.serial, u.zone_ids::integer[], u.epochs::bigint[], u.serials::bigint[]
  from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
       u(batch_id, zone_id, epoch, serial, zone_ids, epochs, serials)
on conflict (batch_id) do nothing)"};

// As above, but here the later end counts.
constexpr Statement kInsertQuarantine{"published_insert_quarantine", R"(
insert into published.quarantine (batch_id, namespace_id, ends_at)
select u.batch_id, $3::integer, to_timestamp($2::bigint) from unnest($1::bigint[]) u(batch_id)
on conflict (batch_id) do update set ends_at = greatest(quarantine.ends_at, excluded.ends_at))"};

constexpr Statement kLockJournal{"published_lock_journal", R"(
select j.slot,
       now() - j.began_at >= make_interval(secs => $1::bigint)
       or pg_total_relation_size(format('published.version_%s', j.slot)::regclass) >= $2::bigint as full
  from published.journal j for update skip locked)"};

constexpr Statement kUpdateJournal{"published_update_journal", "update published.journal set slot = $1::smallint, began_at = now()"};

constexpr Statement kPruneBatches{"published_prune_batches", R"(
delete from published.batch b using (
    select o.batch_id from published.batch o order by o.batch_id limit $2::bigint) old
 where b.batch_id = old.batch_id and b.created_at < to_timestamp($1::bigint))"};

/// Returns PostgreSQL's text form of an array of numbers.
template <typename List, typename NumberOfItem>
std::string ArrayText(const List& list, NumberOfItem number_of) {
  std::string text = "{";
  for (const auto& item : list) text += (text.size() > 1 ? "," : "") + std::to_string(number_of(item));
  return text + "}";
}

}  // namespace

void InsertVersions(Transaction& transaction, const std::vector<VersionRow>& versions) {
  if (versions.empty()) return;
  std::vector<std::int32_t> zone_ids;
  std::vector<std::int64_t> epochs, serials, previous_serials;
  std::vector<OctetsView> previous_digests, digests, deltas;
  std::vector<std::string> types;
  for (const VersionRow& version : versions) {
    zone_ids.push_back(version.zone_id);
    epochs.push_back(version.position.epoch);
    serials.push_back(version.position.serial);
    previous_serials.push_back(version.previous_serial);
    previous_digests.push_back(version.previous_digest);
    digests.push_back(version.position.digest);
    types.push_back(ArrayText(version.types, [](dns::RrType type) { return static_cast<int>(type); }));
    deltas.push_back(version.delta);
  }
  Execute(transaction, kInsertVersions, IntegerArray(zone_ids), BigintArray(epochs), BigintArray(serials), BigintArray(previous_serials),
          ByteaArray(previous_digests), ByteaArray(digests), TextArray(Views(types)), ByteaArray(deltas));
}

void InsertBatches(Transaction& transaction, const std::vector<BatchRow>& batches) {
  if (batches.empty()) return;
  std::vector<std::int32_t> zone_ids;
  std::vector<std::int64_t> batch_ids, epochs, serials;
  std::vector<std::string> all_zone_ids, all_epochs, all_serials;
  for (const BatchRow& batch : batches) {
    IDZONE_INVARIANT(!batch.zones.empty(), "a batch is published somewhere");
    const auto& [zone_id, position] = batch.zones.front();
    batch_ids.push_back(batch.batch_id);
    zone_ids.push_back(zone_id);
    epochs.push_back(position.epoch);
    serials.push_back(position.serial);
    all_zone_ids.push_back(ArrayText(batch.zones, [](const auto& zone) { return zone.first; }));
    all_epochs.push_back(ArrayText(batch.zones, [](const auto& zone) { return zone.second.epoch; }));
    all_serials.push_back(ArrayText(batch.zones, [](const auto& zone) { return zone.second.serial; }));
  }
  Execute(transaction, kInsertBatches, BigintArray(batch_ids), IntegerArray(zone_ids), BigintArray(epochs), BigintArray(serials),
          TextArray(Views(all_zone_ids)), TextArray(Views(all_epochs)), TextArray(Views(all_serials)));
}

void InsertQuarantine(Transaction& transaction, std::int32_t namespace_id, const std::vector<std::int64_t>& batch_ids, UnixTime ends_at) {
  if (batch_ids.empty()) return;
  Execute(transaction, kInsertQuarantine, BigintArray(batch_ids), static_cast<std::int64_t>(ends_at.time_since_epoch().count()),
          namespace_id);
}

bool RotateJournal(Transaction& transaction, const JournalLimits& limits) {
  const pqxx::result journal =
      Execute(transaction, kLockJournal, static_cast<std::int64_t>(limits.keep.count()) / kJournalSlots, limits.octets_max / kJournalSlots);
  if (journal.empty() || !journal[0]["full"].as<bool>()) return false;
  const int next = (NumberOf<int>(journal[0]["slot"]) + 1) % kJournalSlots;
  transaction.exec("truncate published.version_" + std::to_string(next));
  Execute(transaction, kUpdateJournal, next);
  return true;
}

std::int64_t PruneBatches(Transaction& transaction, UnixTime kept_since) {
  const pqxx::result removed =
      Execute(transaction, kPruneBatches, static_cast<std::int64_t>(kept_since.time_since_epoch().count()), kPrunedMax);
  return static_cast<std::int64_t>(removed.affected_rows());
}

}  // namespace idzone::store
