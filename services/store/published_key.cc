// SPDX-License-Identifier: MIT
#include "services/store/published_key.h"

#include "services/store/encoding.h"

namespace idzone::store {
namespace {

constexpr Statement kLoadKeyrings{"published_load_keyrings", R"(
select s.zone_id, k.key_id, k.key_tag, k.dnskey, k.role, k.state, k.uses, k.part, s.revision, s.data_revision,
       s.revision <= s.settled_revision as settled, s.tell_parent, s.urgent, s.key_ttl_max, s.data_ttl_max, s.ds_ttl_max
  from published.keyset s join published.key k on k.namespace_id = s.namespace_id and k.zone_id = s.zone_id
 where s.namespace_id = $1::integer and s.zone_id = any($2::integer[]) and k.uses <> 0
 order by k.created_at, k.key_id)"};

// Shapes of plans: see published_node.cc.
constexpr Statement kLoadZoneKeys{"published_load_zone_keys", R"(
select f.* from unnest($1::integer[]) u(zone_id)
 cross join lateral (select z.zone_id, z.keys_revision, z.keys_epoch, z.keys_serial, z.cut_epoch, z.cut_serial,
                            z.sweep_revision, z.sweep_place,
                            extract(epoch from z.sweep_began_at)::bigint as sweep_began, z.swept_revision, z.swept_epoch, z.swept_serial
                       from published.zone_keys z where z.zone_id = u.zone_id offset 0) f)"};

constexpr Statement kLoadKeys{"published_load_keys", R"(
select key_id, key_tag, dnskey, role, state, uses, part from published.key
 where namespace_id = $1::integer and zone_id = $2::integer order by created_at, key_id)"};

constexpr Statement kListKeysInUse{"published_list_keys_in_use",
                                   "select key_id from published.key where uses <> 0 order by created_at desc, key_id limit $1::bigint"};

constexpr Statement kInsertKey{"published_insert_key", R"(
insert into published.key (key_id, namespace_id, algorithm, key_tag, dnskey, role, state, uses, part, zone_id)
values ($1::bytea, $2::integer, $3::smallint, $4::integer, $5::bytea, $6::smallint, $7::smallint, $8::smallint, $9::smallint,
        $10::integer))"};

constexpr Statement kUpdateKey{"published_update_key", R"(
update published.key
   set state = $2::smallint, uses = $3::smallint, part = $4::smallint,
       state_at = case when state = $2::smallint then state_at else now() end
 where key_id = $1::bytea)"};

constexpr Statement kInsertKeyset{"published_insert_keyset", R"(
insert into published.keyset (namespace_id, zone_id, key_ttl_max, data_ttl_max, ds_ttl_max, keys_due_at, zsk_due_at)
values ($1::integer, $2::integer, $3::bigint, $4::bigint, $5::bigint, to_timestamp(nullif($6::bigint, -1)),
        to_timestamp(nullif($7::bigint, -1))))"};

constexpr Statement kRaiseTtls{"published_raise_ttls", R"(
update published.keyset
   set key_ttl_max = greatest(key_ttl_max, $3::bigint), data_ttl_max = greatest(data_ttl_max, $4::bigint),
       ds_ttl_max = greatest(ds_ttl_max, $5::bigint)
 where namespace_id = $1::integer and zone_id = $2::integer)"};

constexpr Statement kSaveZoneKeys{"published_save_zone_keys", R"(
insert into published.zone_keys (zone_id, keys_revision, keys_epoch, keys_serial, sweep_revision, sweep_place, sweep_began_at,
                                 swept_revision, swept_epoch, swept_serial, cut_epoch, cut_serial)
select u.zone_id, u.keys_revision, u.keys_epoch, u.keys_serial, u.sweep_revision, u.sweep_place, to_timestamp(u.sweep_began),
       u.swept_revision, u.swept_epoch, u.swept_serial, u.cut_epoch, u.cut_serial
  from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
       u(zone_id, keys_revision, keys_epoch, keys_serial, sweep_revision, sweep_place, sweep_began, swept_revision, swept_epoch,
         swept_serial, cut_epoch, cut_serial)
    on conflict (zone_id) do update
   set keys_revision = excluded.keys_revision, keys_epoch = excluded.keys_epoch, keys_serial = excluded.keys_serial,
       sweep_revision = excluded.sweep_revision, sweep_place = excluded.sweep_place, sweep_began_at = excluded.sweep_began_at,
       swept_revision = excluded.swept_revision, swept_epoch = excluded.swept_epoch, swept_serial = excluded.swept_serial,
       cut_epoch = excluded.cut_epoch, cut_serial = excluded.cut_serial)"};

Result<KeyRow> KeyOf(const pqxx::row& row) {
  KeyRow key;
  key.key_id = OctetsOf(row["key_id"]);
  key.key_tag = NumberOf<std::uint16_t>(row["key_tag"]);
  key.dnskey = OctetsOf(row["dnskey"]);
  key.role = static_cast<zone::KeyRole>(NumberOf<int>(row["role"]));
  key.state = static_cast<zone::KeyState>(NumberOf<int>(row["state"]));
  key.uses = zone::DecodeKeyUses(static_cast<std::uint8_t>(NumberOf<int>(row["uses"])));
  key.part = static_cast<std::uint8_t>(NumberOf<int>(row["part"]));
  if (key.key_id.size() != 32 || key.dnskey.size() <= 4)
    return Fail(Reason::kEncodingMalformed, "published.key", "an id of 32 octets and DNSKEY RDATA", "other sizes");
  return key;
}

zone::ZonePosition PositionOf(const pqxx::field& epoch, const pqxx::field& serial) {
  return {NumberOf<zone::Epoch>(epoch), NumberOf<dns::Serial>(serial), {}};
}

UnixTime TimeOf(const pqxx::field& field) {
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(field)));
}

int Number(zone::KeyRole role) {
  return static_cast<int>(role);
}
int Number(zone::KeyState state) {
  return static_cast<int>(state);
}

}  // namespace

Result<std::map<std::int32_t, Keyring>> LoadKeyrings(Transaction& transaction, std::int32_t namespace_id,
                                                     const std::vector<std::int32_t>& zone_ids) {
  std::map<std::int32_t, Keyring> rings;
  for (const pqxx::row& row : Execute(transaction, kLoadKeyrings, namespace_id, IntegerArray(zone_ids))) {
    Keyring& ring = rings[NumberOf<std::int32_t>(row["zone_id"])];
    auto key = KeyOf(row);
    if (!key) return tl::unexpected(key.error());
    ring.keys.push_back(std::move(*key));
    ring.keyset = {.revision = NumberOf<std::int64_t>(row["revision"]),
                   .data_revision = NumberOf<std::int64_t>(row["data_revision"]),
                   .settled = row["settled"].as<bool>(),
                   .tell_parent = row["tell_parent"].as<bool>(),
                   .urgent = row["urgent"].as<bool>(),
                   .ttls = {NumberOf<std::int64_t>(row["key_ttl_max"]), NumberOf<std::int64_t>(row["data_ttl_max"]),
                            NumberOf<std::int64_t>(row["ds_ttl_max"])}};
  }
  return rings;
}

std::vector<ZoneKeysRow> LoadZoneKeys(Transaction& transaction, const std::vector<std::int32_t>& zone_ids) {
  std::vector<ZoneKeysRow> rows;
  for (const pqxx::row& row : Execute(transaction, kLoadZoneKeys, IntegerArray(zone_ids)))
    rows.push_back({.zone_id = NumberOf<std::int32_t>(row["zone_id"]),
                    .keys_revision = NumberOf<std::int64_t>(row["keys_revision"]),
                    .keys_position = PositionOf(row["keys_epoch"], row["keys_serial"]),
                    .cut_position = PositionOf(row["cut_epoch"], row["cut_serial"]),
                    .sweep_revision = NumberOf<std::int64_t>(row["sweep_revision"]),
                    .sweep_place = OctetsOf(row["sweep_place"]),
                    .sweep_began = TimeOf(row["sweep_began"]),
                    .swept_revision = NumberOf<std::int64_t>(row["swept_revision"]),
                    .swept_position = PositionOf(row["swept_epoch"], row["swept_serial"])});
  return rows;
}

void SaveZoneKeys(Transaction& transaction, const std::vector<const ZoneKeysRow*>& rows) {
  if (rows.empty()) return;
  std::vector<std::int32_t> zone_ids;
  std::vector<std::int64_t> revisions, epochs, serials, sweeps, began, swept, swept_epochs, swept_serials, cut_epochs, cut_serials;
  std::vector<OctetsView> places;
  for (const ZoneKeysRow* row : rows) {
    zone_ids.push_back(row->zone_id);
    revisions.push_back(row->keys_revision);
    epochs.push_back(row->keys_position.epoch);
    serials.push_back(row->keys_position.serial);
    sweeps.push_back(row->sweep_revision);
    places.push_back(row->sweep_place);
    began.push_back(row->sweep_began.time_since_epoch().count());
    swept.push_back(row->swept_revision);
    swept_epochs.push_back(row->swept_position.epoch);
    swept_serials.push_back(row->swept_position.serial);
    cut_epochs.push_back(row->cut_position.epoch);
    cut_serials.push_back(row->cut_position.serial);
  }
  Execute(transaction, kSaveZoneKeys, IntegerArray(zone_ids), BigintArray(revisions), BigintArray(epochs), BigintArray(serials),
          BigintArray(sweeps), ByteaArray(places), BigintArray(began), BigintArray(swept), BigintArray(swept_epochs),
          BigintArray(swept_serials), BigintArray(cut_epochs), BigintArray(cut_serials));
}

Result<std::vector<KeyRow>> LoadKeys(Transaction& transaction, const KeysetId& id) {
  std::vector<KeyRow> keys;
  for (const pqxx::row& row : Execute(transaction, kLoadKeys, id.namespace_id, id.zone_id)) {
    auto key = KeyOf(row);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::vector<Octets> ListKeysInUse(Transaction& transaction, std::int64_t limit) {
  std::vector<Octets> ids;
  for (const pqxx::row& row : Execute(transaction, kListKeysInUse, limit)) ids.push_back(OctetsOf(row["key_id"]));
  return ids;
}

void InsertKey(Transaction& transaction, const KeysetId& id, const KeyRow& key) {
  const int algorithm = static_cast<std::uint8_t>(key.dnskey.at(3));
  Execute(transaction, kInsertKey, Bytea(key.key_id), id.namespace_id, algorithm, static_cast<int>(key.key_tag), Bytea(key.dnskey),
          Number(key.role), Number(key.state), static_cast<int>(zone::EncodeKeyUses(key.uses)), static_cast<int>(key.part), id.zone_id);
}

void UpdateKey(Transaction& transaction, const KeyRow& key) {
  Execute(transaction, kUpdateKey, Bytea(key.key_id), Number(key.state), static_cast<int>(zone::EncodeKeyUses(key.uses)),
          static_cast<int>(key.part));
}

void InsertKeyset(Transaction& transaction, const KeysetId& id, const LongestTtlRow& ttls, const ScheduleRow& schedule) {
  const auto seconds = [](const std::optional<UnixTime>& at) {
    return at ? std::int64_t{at->time_since_epoch().count()} : std::int64_t{-1};
  };
  Execute(transaction, kInsertKeyset, id.namespace_id, id.zone_id, ttls.keys, ttls.data, ttls.ds, seconds(schedule.keys_at),
          seconds(schedule.zsk_at));
}

void RaiseLongestTtls(Transaction& transaction, const KeysetId& id, const LongestTtlRow& ttls) {
  Execute(transaction, kRaiseTtls, id.namespace_id, id.zone_id, ttls.keys, ttls.data, ttls.ds);
}

}  // namespace idzone::store
