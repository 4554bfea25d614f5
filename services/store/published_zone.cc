// SPDX-License-Identifier: MIT
#include <unordered_map>

#include "services/core/base/error.h"
#include "services/core/zone/cut.h"
#include "services/store/encoding.h"
#include "services/store/policy_row.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

#define IDZONE_ZONE_COLUMNS                                                                                                      \
  " z.zone_id, z.name as zone_name, z.parent_id, z.epoch, z.serial, z.digest, z.node_count, z.resign_key, z.cuts_made,"          \
  " extract(epoch from z.resign_round)::bigint as resign_round, extract(epoch from z.last_signed_at)::bigint as last_signed_at," \
  " extract(epoch from z.renew_at)::bigint as renew_at, extract(epoch from z.expires_behind)::bigint as expires_behind,"         \
  " extract(epoch from z.expires_ahead)::bigint as expires_ahead"

// A namespace's queue heads: two probes of dirty_batch_order each, however long the queues are.
constexpr Statement kListWork{"published_list_work", R"(
select n.namespace_id, n.name, n.layout_kind, n.layout_width, n.layout_form, n.name_servers,
       n.denial, n.algorithm, n.wildcard_ca, n.labels, n.has_cuts,)" IDZONE_POLICY_COLUMNS "," IDZONE_ZONE_COLUMNS R"(,
       (select max(c.number) from registry.cut c where c.namespace_id = n.namespace_id) as last_cut,
       (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d
         where d.namespace_id = n.namespace_id and d.kind = 1 order by d.kind, d.batch_id limit 1) as oldest_revocation,
       (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d
         where d.namespace_id = n.namespace_id and d.kind = 2 order by d.kind, d.batch_id limit 1) as oldest_enrollment
  from registry.namespace n join registry.policy p on p.name = n.policy left join published.zone z on z.name = n.name
 order by n.namespace_id)"};

// The first number keeps these locks apart from everybody else's advisory locks ("zone").
constexpr Statement kTryLockCreation{"published_lock_creation", R"(
select pg_try_advisory_xact_lock(2054123109, $1::integer) as locked)"};

// A statement of its own, because it has to see what was committed before the lock was had.
constexpr Statement kZoneExists{"published_zone_exists", R"(
select exists (select 1 from published.zone z where z.name = $1::bytea) as present)"};

constexpr Statement kInsertZones{"published_insert_zones", R"(
insert into published.zone (namespace_id, parent_id, name, name_text, epoch, serial, digest, node_count, resign_round,
                            last_signed_at, expires_ahead, denial)
select $1::integer, nullif(u.parent_id, 0), u.name, u.name_text, u.epoch, u.serial, u.digest, u.node_count,
       to_timestamp(u.resign_round), to_timestamp(u.last_signed_at), to_timestamp(nullif(u.expires_ahead, 0)), $2::smallint
  from unnest($3::integer[], $4::bytea[], $5::text[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[],
              $11::bigint[], $12::bigint[])
       u(parent_id, name, name_text, epoch, serial, digest, node_count, resign_round, last_signed_at, expires_ahead)
returning zone_id, name)"};

constexpr Statement kLockZone{"published_lock_zone", "select" IDZONE_ZONE_COLUMNS R"(
  from published.zone z where z.zone_id = $1::integer for update skip locked)"};

// Shapes of plans: see published_node.cc.
constexpr Statement kLoadZones{"published_load_zones", R"(
select f.* from unnest($1::integer[]) u(zone_id)
 cross join lateral (select)" IDZONE_ZONE_COLUMNS R"( from published.zone z where z.zone_id = u.zone_id offset 0) f)"};

constexpr Statement kFindZones{"published_find_zones",
                               R"(
select f.* from unnest($2::bytea[]) u(name)
 cross join lateral (select)" IDZONE_ZONE_COLUMNS
                               R"( from published.zone z where z.name = u.name and z.namespace_id = $1::integer offset 0) f)"};

constexpr Statement kUpdateZones{"published_update_zones", R"(
update published.zone z
   set epoch = u.epoch, serial = u.serial, digest = u.digest, node_count = u.node_count, resign_key = u.resign_key,
       resign_round = to_timestamp(u.resign_round), last_signed_at = to_timestamp(u.last_signed_at),
       renew_at = to_timestamp(u.renew_at), expires_behind = to_timestamp(nullif(u.expires_behind, 0)),
       expires_ahead = to_timestamp(nullif(u.expires_ahead, 0)), cuts_made = u.cuts_made
  from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::integer[], $11::bigint[], $12::bigint[])
       u(zone_id, epoch, serial, digest, node_count, resign_key, resign_round, last_signed_at, renew_at, cuts_made, expires_behind,
         expires_ahead)
 cross join lateral (select m.ctid as address from published.zone m where m.zone_id = u.zone_id offset 0) f
 where z.ctid = f.address)"};

constexpr Statement kDueZones{"published_due_zones", R"(
select z.namespace_id, z.zone_id, extract(epoch from z.renew_at)::bigint as renew_at
  from published.zone z where z.renew_at <= to_timestamp($1::bigint) and z.namespace_id <> all($3::integer[])
 order by z.renew_at limit $2::bigint)"};

constexpr Statement kWantedCuts{"published_wanted_cuts", R"(
select c.name from registry.cut c where c.namespace_id = $1::integer and c.number > $2::integer order by c.number limit $3::bigint)"};

#undef IDZONE_ZONE_COLUMNS

UnixTime TimeOf(const pqxx::field& field) {
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(field)));
}

std::optional<UnixTime> OptionalTimeOf(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return TimeOf(field);
}

std::int64_t Seconds(UnixTime time) {
  return time.time_since_epoch().count();
}

/// 0 stands for none.
std::int64_t Seconds(std::optional<UnixTime> time) {
  return time ? Seconds(*time) : 0;
}

Result<ZoneRow> ZoneOf(const pqxx::row& row) {
  ZoneRow zone;
  zone.zone_id = NumberOf<std::int32_t>(row["zone_id"]);
  auto name = dns::Name::FromWire(OctetsOf(row["zone_name"]), "published.zone.name");
  if (!name) return tl::unexpected(name.error());
  zone.name = *std::move(name);
  if (!row["parent_id"].is_null()) zone.parent_id = NumberOf<std::int32_t>(row["parent_id"]);
  zone.position.epoch = NumberOf<zone::Epoch>(row["epoch"]);
  zone.position.serial = NumberOf<dns::Serial>(row["serial"]);
  zone.position.digest = OctetsOf(row["digest"]);
  zone.node_count = NumberOf<std::int64_t>(row["node_count"]);
  zone.resign_key = OctetsOf(row["resign_key"]);
  zone.resign_round = TimeOf(row["resign_round"]);
  zone.last_signed_at = TimeOf(row["last_signed_at"]);
  zone.renew_at = TimeOf(row["renew_at"]);
  zone.expires_behind = OptionalTimeOf(row["expires_behind"]);
  zone.expires_ahead = OptionalTimeOf(row["expires_ahead"]);
  zone.cuts_made = NumberOf<std::int32_t>(row["cuts_made"]);
  return zone;
}

Result<std::vector<ZoneRow>> ZonesOf(const pqxx::result& rows) {
  std::vector<ZoneRow> zones;
  for (const pqxx::row& row : rows) {
    auto zone = ZoneOf(row);
    if (!zone) return tl::unexpected(zone.error());
    zones.push_back(*std::move(zone));
  }
  return zones;
}

Result<NamespaceRow> NamespaceOf(const pqxx::row& row) {
  NamespaceRow registered;
  registered.namespace_id = NumberOf<std::int32_t>(row["namespace_id"]);
  auto apex = dns::Name::FromWire(OctetsOf(row["name"]), "registry.namespace.name");
  if (!apex) return tl::unexpected(apex.error());
  registered.apex = *apex;
  auto layout =
      zone::MakeLayout(static_cast<zone::LayoutKind>(NumberOf<int>(row["layout_kind"])), NumberOf<std::uint32_t>(row["layout_width"]),
                       static_cast<zone::EnumForm>(NumberOf<int>(row["layout_form"])));
  if (!layout) return tl::unexpected(layout.error());
  registered.layout = *layout;
  registered.policy = ReadPolicy(row);
  registered.denial = static_cast<dns::DenialKind>(NumberOf<int>(row["denial"]));
  registered.algorithm = static_cast<std::uint8_t>(NumberOf<int>(row["algorithm"]));
  registered.labels = static_cast<zone::LabelPrivacy>(NumberOf<int>(row["labels"]));
  registered.wildcard_ca = row["wildcard_ca"].as<bool>();
  registered.has_cuts = row["has_cuts"].as<bool>();
  for (const std::string& text : TextListOf(row["name_servers"])) {
    auto server = dns::Name::Parse(text, "registry.namespace.name_servers");
    if (!server) return tl::unexpected(server.error());
    registered.name_servers.push_back(*server);
  }
  return registered;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> SignerSessionSettings() {
  return {{"enable_seqscan", "off"},
          {"enable_hashjoin", "off"},
          {"enable_mergejoin", "off"},
          {"enable_bitmapscan", "off"},
          {"enable_material", "off"},
          {"enable_memoize", "off"},
          {"plan_cache_mode", "force_generic_plan"},
          {"jit", "off"},
          {"max_parallel_workers_per_gather", "0"}};
}

Result<std::vector<ZoneWork>> ListZoneWork(Transaction& transaction) {
  std::vector<ZoneWork> list;
  for (const pqxx::row& row : Execute(transaction, kListWork)) {
    auto registered = NamespaceOf(row);
    if (!registered) return tl::unexpected(registered.error());
    ZoneWork work;
    work.registered = std::move(*registered);
    if (!row["zone_id"].is_null()) {
      auto zone = ZoneOf(row);
      if (!zone) return tl::unexpected(zone.error());
      work.zone = *std::move(zone);
    }
    if (!row["last_cut"].is_null()) work.cuts_wanted = NumberOf<std::int32_t>(row["last_cut"]);
    if (work.registered.has_cuts) work.cuts_wanted = static_cast<std::int32_t>(zone::TreeCutCount(work.registered.layout));
    work.oldest_revocation = OptionalTimeOf(row["oldest_revocation"]);
    work.oldest_enrollment = OptionalTimeOf(row["oldest_enrollment"]);
    list.push_back(std::move(work));
  }
  return list;
}

bool TryLockZoneCreation(Transaction& transaction, const NamespaceRow& registered) {
  return Execute(transaction, kTryLockCreation, registered.namespace_id)[0]["locked"].as<bool>() &&
         !Execute(transaction, kZoneExists, Bytea(registered.apex.wire()))[0]["present"].as<bool>();
}

void InsertZones(Transaction& transaction, const NamespaceRow& registered, const std::vector<ZoneRow*>& zones) {
  std::vector<std::int32_t> parents;
  std::vector<std::int64_t> epochs, serials, node_counts, rounds, signed_at, expires_ahead;
  std::vector<OctetsView> names, digests;
  std::vector<std::string> texts;
  std::unordered_map<OctetsView, ZoneRow*> by_name;
  for (ZoneRow* zone : zones) {
    parents.push_back(zone->parent_id.value_or(0));
    names.push_back(zone->name.wire());
    texts.push_back(zone->name.Format());
    epochs.push_back(zone->position.epoch);
    serials.push_back(zone->position.serial);
    digests.push_back(zone->position.digest);
    node_counts.push_back(zone->node_count);
    rounds.push_back(Seconds(zone->resign_round));
    signed_at.push_back(Seconds(zone->last_signed_at));
    expires_ahead.push_back(Seconds(zone->expires_ahead));
    by_name.emplace(zone->name.wire(), zone);
  }
  const pqxx::result rows =
      Execute(transaction, kInsertZones, registered.namespace_id, static_cast<int>(registered.denial), IntegerArray(parents),
              ByteaArray(names), TextArray(Views(texts)), BigintArray(epochs), BigintArray(serials), ByteaArray(digests),
              BigintArray(node_counts), BigintArray(rounds), BigintArray(signed_at), BigintArray(expires_ahead));
  for (const pqxx::row& row : rows) by_name.at(OctetsOf(row["name"]))->zone_id = NumberOf<std::int32_t>(row["zone_id"]);
}

Result<std::optional<ZoneRow>> LockZone(Transaction& transaction, std::int32_t zone_id) {
  const pqxx::result rows = Execute(transaction, kLockZone, zone_id);
  if (rows.empty()) return std::optional<ZoneRow>();
  return ZoneOf(rows[0]).map([](ZoneRow zone) { return std::optional<ZoneRow>(std::move(zone)); });
}

Result<std::vector<ZoneRow>> LoadZones(Transaction& transaction, const std::vector<std::int32_t>& zone_ids) {
  if (zone_ids.empty()) return std::vector<ZoneRow>();
  return ZonesOf(Execute(transaction, kLoadZones, IntegerArray(zone_ids)));
}

Result<std::vector<ZoneRow>> FindZones(Transaction& transaction, std::int32_t namespace_id, const std::vector<dns::Name>& names) {
  if (names.empty()) return std::vector<ZoneRow>();
  std::vector<OctetsView> wires;
  for (const dns::Name& name : names) wires.push_back(name.wire());
  return ZonesOf(Execute(transaction, kFindZones, namespace_id, ByteaArray(wires)));
}

void UpdateZones(Transaction& transaction, const std::vector<const ZoneRow*>& zones) {
  if (zones.empty()) return;
  std::vector<std::int32_t> zone_ids, cuts_made;
  std::vector<std::int64_t> epochs, serials, node_counts, rounds, signed_at, renew_at, expires_behind, expires_ahead;
  std::vector<OctetsView> digests, resign_keys;
  for (const ZoneRow* zone : zones) {
    zone_ids.push_back(zone->zone_id);
    epochs.push_back(zone->position.epoch);
    serials.push_back(zone->position.serial);
    digests.push_back(zone->position.digest);
    node_counts.push_back(zone->node_count);
    resign_keys.push_back(zone->resign_key);
    rounds.push_back(Seconds(zone->resign_round));
    signed_at.push_back(Seconds(zone->last_signed_at));
    renew_at.push_back(Seconds(zone->renew_at));
    cuts_made.push_back(zone->cuts_made);
    expires_behind.push_back(Seconds(zone->expires_behind));
    expires_ahead.push_back(Seconds(zone->expires_ahead));
  }
  Execute(transaction, kUpdateZones, IntegerArray(zone_ids), BigintArray(epochs), BigintArray(serials), ByteaArray(digests),
          BigintArray(node_counts), ByteaArray(resign_keys), BigintArray(rounds), BigintArray(signed_at), BigintArray(renew_at),
          IntegerArray(cuts_made), BigintArray(expires_behind), BigintArray(expires_ahead));
}

std::vector<DueZone> ListDueZones(Transaction& transaction, UnixTime now, const std::vector<std::int32_t>& left_alone, std::int64_t limit) {
  std::vector<DueZone> zones;
  for (const pqxx::row& row : Execute(transaction, kDueZones, Seconds(now), limit, IntegerArray(left_alone)))
    zones.push_back({NumberOf<std::int32_t>(row["namespace_id"]), NumberOf<std::int32_t>(row["zone_id"]), TimeOf(row["renew_at"])});
  return zones;
}

Result<std::vector<dns::Name>> LoadWantedCuts(Transaction& transaction, std::int32_t namespace_id, std::int32_t after, std::int64_t limit) {
  std::vector<dns::Name> names;
  for (const pqxx::row& row : Execute(transaction, kWantedCuts, namespace_id, after, limit)) {
    auto name = dns::Name::FromWire(OctetsOf(row["name"]), "registry.cut.name");
    if (!name) return tl::unexpected(name.error());
    names.push_back(*std::move(name));
  }
  return names;
}

}  // namespace idzone::store
