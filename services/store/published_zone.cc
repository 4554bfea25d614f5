// SPDX-License-Identifier: MIT
#include "services/core/base/error.h"
#include "services/store/encoding.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

// A namespace's queue heads: two probes of dirty_batch_order each, however long the queues are.
constexpr Statement kListWork{"published_list_work", R"(
select n.namespace_id, n.name, n.layout_kind, n.layout_width, n.layout_form, n.policy, n.name_servers,
       n.denial, n.algorithm, n.wildcard_ca, n.labels,
       z.zone_id, z.epoch, z.serial, z.digest, z.node_count, z.resign_key,
       extract(epoch from z.resign_round)::bigint as resign_round,
       extract(epoch from z.last_signed_at)::bigint as last_signed_at,
       (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d
         where d.namespace_id = n.namespace_id and d.kind = 1 order by d.kind, d.batch_id limit 1) as oldest_revocation,
       (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d
         where d.namespace_id = n.namespace_id and d.kind = 2 order by d.kind, d.batch_id limit 1) as oldest_enrollment
  from registry.namespace n left join published.zone z on z.name = n.name
 order by n.namespace_id)"};

constexpr Statement kFindKey{"published_find_key", R"(
select key_id, key_tag, dnskey from published.key where namespace_id = $1::integer order by created_at limit 1)"};

constexpr Statement kInsertKey{"published_insert_key", R"(
insert into published.key (key_id, namespace_id, algorithm, key_tag, dnskey)
values ($1::bytea, $2::integer, $3::smallint, $4::integer, $5::bytea))"};

// The first number keeps these locks apart from everybody else's advisory locks ("zone").
constexpr Statement kTryLockCreation{"published_lock_creation", R"(
select pg_try_advisory_xact_lock(2054123109, $1::integer) as locked)"};

// A statement of its own, because it has to see what was committed before the lock was had.
constexpr Statement kZoneExists{"published_zone_exists", R"(
select exists (select 1 from published.zone z where z.name = $1::bytea) as present)"};

constexpr Statement kInsertZone{"published_insert_zone", R"(
insert into published.zone (namespace_id, name, name_text, epoch, serial, digest, node_count, resign_round, last_signed_at, denial)
values ($1::integer, $2::bytea, $3::text, $4::bigint, $5::bigint, $6::bytea, $7::bigint,
        to_timestamp($8::bigint), to_timestamp($9::bigint), $10::smallint)
returning zone_id)"};

constexpr Statement kLockZone{"published_lock_zone", R"(
select zone_id, epoch, serial, digest, node_count, resign_key,
       extract(epoch from resign_round)::bigint as resign_round, extract(epoch from last_signed_at)::bigint as last_signed_at
  from published.zone where zone_id = $1::integer for update skip locked)"};

constexpr Statement kUpdateZone{"published_update_zone", R"(
update published.zone
   set epoch = $2::bigint, serial = $3::bigint, digest = $4::bytea, node_count = $5::bigint, resign_key = $6::bytea,
       resign_round = to_timestamp($7::bigint), last_signed_at = to_timestamp($8::bigint)
 where zone_id = $1::integer)"};

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

ZoneRow ZoneOf(const pqxx::row& row) {
  ZoneRow zone;
  zone.zone_id = NumberOf<std::int32_t>(row["zone_id"]);
  zone.position.epoch = NumberOf<zone::Epoch>(row["epoch"]);
  zone.position.serial = NumberOf<dns::Serial>(row["serial"]);
  zone.position.digest = OctetsOf(row["digest"]);
  zone.node_count = NumberOf<std::int64_t>(row["node_count"]);
  zone.resign_key = OctetsOf(row["resign_key"]);
  zone.resign_round = TimeOf(row["resign_round"]);
  zone.last_signed_at = TimeOf(row["last_signed_at"]);
  return zone;
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
  registered.policy = row["policy"].as<std::string>();
  registered.denial = static_cast<dns::DenialKind>(NumberOf<int>(row["denial"]));
  registered.algorithm = static_cast<std::uint8_t>(NumberOf<int>(row["algorithm"]));
  registered.labels = static_cast<zone::LabelPrivacy>(NumberOf<int>(row["labels"]));
  registered.wildcard_ca = row["wildcard_ca"].as<bool>();
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
    if (!row["zone_id"].is_null()) work.zone = ZoneOf(row);
    work.oldest_revocation = OptionalTimeOf(row["oldest_revocation"]);
    work.oldest_enrollment = OptionalTimeOf(row["oldest_enrollment"]);
    list.push_back(std::move(work));
  }
  return list;
}

Result<std::optional<KeyRow>> FindKey(Transaction& transaction, std::int32_t namespace_id) {
  const pqxx::result rows = Execute(transaction, kFindKey, namespace_id);
  if (rows.empty()) return std::nullopt;
  KeyRow key{OctetsOf(rows[0]["key_id"]), NumberOf<std::uint16_t>(rows[0]["key_tag"]), OctetsOf(rows[0]["dnskey"])};
  if (key.key_id.size() != 32) return Fail(Reason::kEncodingMalformed, "published.key", "an id of 32 octets", "another size");
  return key;
}

void InsertKey(Transaction& transaction, std::int32_t namespace_id, const KeyRow& key) {
  const int algorithm = static_cast<std::uint8_t>(key.dnskey.at(3));
  Execute(transaction, kInsertKey, Bytea(key.key_id), namespace_id, algorithm, static_cast<int>(key.key_tag), Bytea(key.dnskey));
}

bool TryLockZoneCreation(Transaction& transaction, const NamespaceRow& registered) {
  return Execute(transaction, kTryLockCreation, registered.namespace_id)[0]["locked"].as<bool>() &&
         !Execute(transaction, kZoneExists, Bytea(registered.apex.wire()))[0]["present"].as<bool>();
}

std::int32_t InsertZone(Transaction& transaction, const NamespaceRow& registered, const ZoneRow& zone) {
  const pqxx::result rows =
      Execute(transaction, kInsertZone, registered.namespace_id, Bytea(registered.apex.wire()), registered.apex.Format(),
              static_cast<std::int64_t>(zone.position.epoch), static_cast<std::int64_t>(zone.position.serial), Bytea(zone.position.digest),
              zone.node_count, Seconds(zone.resign_round), Seconds(zone.last_signed_at), static_cast<int>(registered.denial));
  return NumberOf<std::int32_t>(rows[0]["zone_id"]);
}

std::optional<ZoneRow> LockZone(Transaction& transaction, std::int32_t zone_id) {
  const pqxx::result rows = Execute(transaction, kLockZone, zone_id);
  if (rows.empty()) return std::nullopt;
  return ZoneOf(rows[0]);
}

void UpdateZone(Transaction& transaction, const ZoneRow& zone) {
  Execute(transaction, kUpdateZone, zone.zone_id, static_cast<std::int64_t>(zone.position.epoch),
          static_cast<std::int64_t>(zone.position.serial), Bytea(zone.position.digest), zone.node_count, Bytea(zone.resign_key),
          Seconds(zone.resign_round), Seconds(zone.last_signed_at));
}

}  // namespace idzone::store
