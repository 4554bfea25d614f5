// SPDX-License-Identifier: MIT
#include "services/store/published_roll.h"

#include "services/store/encoding.h"

namespace idzone::store {
namespace {

constexpr Statement kListRollWork{"published_list_roll_work", R"(
select w.namespace_id, w.zone_id,
       w.rolls and (w.zone_id = 0 or exists (select from published.zone z where z.zone_id = w.zone_id and z.parent_id is null)) as asks_parent
  from (select s.namespace_id, s.zone_id, s.style is not null and s.roles && '{1,2}' as rolls from published.keyset s
         where s.style is not null or s.revision > s.settled_revision
         union
        select s.namespace_id, s.zone_id, false from published.keyset s
         where s.style is null and least(s.keys_due_at, s.zsk_due_at) <= to_timestamp($1::bigint)
         union
        select s.namespace_id, s.zone_id, s.style is not null and s.roles && '{1,2}'
          from registry.key_command c join published.keyset s using (namespace_id, zone_id)) w
 order by w.namespace_id, w.zone_id)"};

constexpr Statement kLockKeyset{"published_lock_keyset", R"(
select revision, data_revision, settled_revision, tell_parent, key_ttl_max, data_ttl_max, ds_ttl_max, style, algorithm, roles::text as roles, urgent, phase,
       emergency_follows, extract(epoch from began_at)::bigint as began_at, extract(epoch from phase_at)::bigint as phase_at,
       extract(epoch from published_at)::bigint as published_at, extract(epoch from resigned_at)::bigint as resigned_at,
       extract(epoch from delegated_at)::bigint as delegated_at, waits_for, extract(epoch from waits_until)::bigint as waits_until,
       refused, parent_answer, extract(epoch from parent_asked_at)::bigint as parent_asked_at,
       extract(epoch from keys_due_at)::bigint as keys_due_at, extract(epoch from zsk_due_at)::bigint as zsk_due_at
  from published.keyset where namespace_id = $1::integer and zone_id = $2::integer for update skip locked)"};

// 0 stands for no style and no algorithm, -1 for no time.
constexpr Statement kSaveKeyset{"published_save_keyset", R"(
update published.keyset
   set revision = $2::bigint, data_revision = $3::bigint, tell_parent = $4::boolean, key_ttl_max = $5::bigint,
       data_ttl_max = $6::bigint, ds_ttl_max = $7::bigint, style = nullif($8::smallint, 0), algorithm = nullif($9::smallint, 0),
       roles = $10::smallint[], urgent = $11::boolean, phase = nullif($12::smallint, 0),
       began_at = to_timestamp(nullif($13::bigint, -1)), phase_at = to_timestamp(nullif($14::bigint, -1)),
       published_at = to_timestamp(nullif($15::bigint, -1)), resigned_at = to_timestamp(nullif($16::bigint, -1)),
       delegated_at = to_timestamp(nullif($17::bigint, -1)), waits_for = $18::smallint,
       waits_until = to_timestamp(nullif($19::bigint, -1)), refused = $20::text, parent_answer = $21::text,
       parent_asked_at = to_timestamp(nullif($22::bigint, -1)), settled_revision = $23::bigint,
       keys_due_at = to_timestamp(nullif($25::bigint, -1)), zsk_due_at = to_timestamp(nullif($26::bigint, -1)),
       emergency_follows = $27::boolean
 where namespace_id = $1::integer and zone_id = $24::integer)"};

#define IDZONE_MAKE_DUE "update published.zone set renew_at = least(renew_at, to_timestamp($2::bigint)) where "
constexpr Statement kMakeAllDue{"published_make_all_due", IDZONE_MAKE_DUE "namespace_id = $1::integer"};
constexpr Statement kMakeOneDue{"published_make_one_due", IDZONE_MAKE_DUE "zone_id = $1::integer"};
#undef IDZONE_MAKE_DUE

constexpr Statement kTakeCommands{"published_take_key_commands", R"(
with taken as (delete from registry.key_command where namespace_id = $1::integer and zone_id = $2::integer
               returning command_id, kind, style, algorithm, roles, urgent)
select kind, coalesce(style, 0) as style, coalesce(algorithm, 0) as algorithm, roles::text as roles, urgent from taken order by command_id)"};

// Edges, and foreign secondaries: one that reports no position of a zone does not serve it. Serials are compared as RFC 1982 says. A
// statement for sets that all zones share, and one for those of one zone: each finds its rows by an index.
#define IDZONE_SERVER_BEHIND(zone, epoch, serial, which)                                               \
  "(select min(e.server_id) from published.zone y join published.zone_keys k on k.zone_id = y.zone_id" \
  "   join published.server_position e on e.zone_id = " zone " where " which                           \
  " and e.reported_at >= to_timestamp($3::bigint)"                                                     \
  "    and (e.epoch < " epoch " or (e.epoch = " epoch " and ((" serial " - e.serial) & 4294967295) between 1 and 2147483647)))"
#define IDZONE_SEE_KEYSET(which_zones, which) \
  "select bool_and(coalesce(p.keys_revision, 0) >= s.revision or s.settled_revision >= s.revision) as taken,"                        \
  " bool_and(coalesce(p.swept_revision, 0) >= s.data_revision or s.settled_revision >= s.data_revision) as swept,"                   \
  IDZONE_SERVER_BEHIND("y.zone_id", "k.keys_epoch", "k.keys_serial", which) " as keys_server,"                                       \
  IDZONE_SERVER_BEHIND("y.zone_id", "k.swept_epoch", "k.swept_serial", which) " as swept_server,"                                    \
  IDZONE_SERVER_BEHIND("y.parent_id", "k.cut_epoch", "k.cut_serial", which) " as cut_server"                                         \
  " from published.keyset s join published.zone z on " which_zones " left join published.zone_keys p on p.zone_id = z.zone_id"       \
  " where s.namespace_id = $1::integer and s.zone_id = $2::integer"
constexpr Statement kSeeShared{"published_see_shared",
                               IDZONE_SEE_KEYSET("z.namespace_id = s.namespace_id", "y.namespace_id = $1::integer")};
constexpr Statement kSeeOwn{"published_see_own", IDZONE_SEE_KEYSET("z.zone_id = s.zone_id", "y.zone_id = $2::integer")};
#undef IDZONE_SEE_KEYSET
#undef IDZONE_SERVER_BEHIND

std::optional<UnixTime> TimeOf(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(field)));
}

std::int64_t SecondsOf(const std::optional<UnixTime>& time) {
  return time ? time->time_since_epoch().count() : -1;
}

/// Reads "{1,2}"; null is no role.
std::vector<zone::KeyRole> RolesOf(const pqxx::field& field) {
  std::vector<zone::KeyRole> roles;
  if (field.is_null()) return roles;
  for (const char digit : field.as<std::string>()) {
    if (digit >= '1' && digit <= '3') roles.push_back(static_cast<zone::KeyRole>(digit - '0'));
  }
  return roles;
}

std::uint8_t SmallOf(const pqxx::field& field) {
  return field.is_null() ? std::uint8_t{0} : static_cast<std::uint8_t>(NumberOf<int>(field));
}

}  // namespace

std::vector<RollWork> ListRollWork(Transaction& transaction, UnixTime now) {
  std::vector<RollWork> list;
  for (const pqxx::row& row : Execute(transaction, kListRollWork, static_cast<std::int64_t>(now.time_since_epoch().count())))
    list.push_back({{NumberOf<std::int32_t>(row["namespace_id"]), NumberOf<std::int32_t>(row["zone_id"])}, row["asks_parent"].as<bool>()});
  return list;
}

std::optional<RollingKeysetRow> LockKeyset(Transaction& transaction, const KeysetId& id) {
  const pqxx::result rows = Execute(transaction, kLockKeyset, id.namespace_id, id.zone_id);
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows.front();
  RollingKeysetRow keyset{.revision = NumberOf<std::int64_t>(row["revision"]),
                          .data_revision = NumberOf<std::int64_t>(row["data_revision"]),
                          .tell_parent = row["tell_parent"].as<bool>(),
                          .settled_revision = NumberOf<std::int64_t>(row["settled_revision"]),
                          .ttls = {NumberOf<std::int64_t>(row["key_ttl_max"]), NumberOf<std::int64_t>(row["data_ttl_max"]),
                                   NumberOf<std::int64_t>(row["ds_ttl_max"])},
                          .roll = {},
                          .schedule = {TimeOf(row["keys_due_at"]), TimeOf(row["zsk_due_at"])},
                          .waits_for = SmallOf(row["waits_for"]),
                          .waits_until = TimeOf(row["waits_until"]),
                          .refused = row["refused"].as<std::string>(),
                          .parent_answer = row["parent_answer"].as<std::string>(),
                          .parent_asked_at = TimeOf(row["parent_asked_at"])};
  if (!row["style"].is_null())
    keyset.roll = RollRow{.style = SmallOf(row["style"]),
                          .algorithm = SmallOf(row["algorithm"]),
                          .roles = RolesOf(row["roles"]),
                          .urgent = row["urgent"].as<bool>(),
                          .emergency_follows = row["emergency_follows"].as<bool>(),
                          .phase = SmallOf(row["phase"]),
                          .began = TimeOf(row["began_at"]).value_or(UnixTime()),
                          .phase_began = TimeOf(row["phase_at"]).value_or(UnixTime()),
                          .published_at = TimeOf(row["published_at"]),
                          .resigned_at = TimeOf(row["resigned_at"]),
                          .delegated_at = TimeOf(row["delegated_at"])};
  return keyset;
}

void SaveKeyset(Transaction& transaction, const KeysetId& id, const RollingKeysetRow& keyset) {
  const RollRow roll = keyset.roll.value_or(RollRow{});
  const bool any = keyset.roll.has_value();
  std::vector<std::int16_t> roles;
  for (const zone::KeyRole role : roll.roles) roles.push_back(static_cast<std::int16_t>(role));
  const auto at = [&](UnixTime time) { return any ? SecondsOf(time) : std::int64_t{-1}; };
  Execute(transaction, kSaveKeyset, id.namespace_id, keyset.revision, keyset.data_revision, keyset.tell_parent, keyset.ttls.keys,
          keyset.ttls.data, keyset.ttls.ds, static_cast<int>(roll.style), static_cast<int>(roll.algorithm), SmallintArray(roles),
          roll.urgent, static_cast<int>(roll.phase), at(roll.began), at(roll.phase_began), SecondsOf(roll.published_at),
          SecondsOf(roll.resigned_at), SecondsOf(roll.delegated_at), static_cast<int>(keyset.waits_for), SecondsOf(keyset.waits_until),
          keyset.refused, keyset.parent_answer, SecondsOf(keyset.parent_asked_at), keyset.settled_revision, id.zone_id,
          SecondsOf(keyset.schedule.keys_at), SecondsOf(keyset.schedule.zsk_at), roll.emergency_follows);
}

void MakeZonesDue(Transaction& transaction, const KeysetId& id, UnixTime now) {
  Execute(transaction, id.zone_id == 0 ? kMakeAllDue : kMakeOneDue, id.zone_id == 0 ? id.namespace_id : id.zone_id,
          static_cast<std::int64_t>(now.time_since_epoch().count()));
}

std::vector<KeyCommand> TakeKeyCommands(Transaction& transaction, const KeysetId& id) {
  std::vector<KeyCommand> commands;
  for (const pqxx::row& row : Execute(transaction, kTakeCommands, id.namespace_id, id.zone_id))
    commands.push_back({.begins_roll = NumberOf<int>(row["kind"]) == 1,
                        .style = SmallOf(row["style"]),
                        .algorithm = SmallOf(row["algorithm"]),
                        .roles = RolesOf(row["roles"]),
                        .urgent = row["urgent"].as<bool>()});
  return commands;
}

KeysetSight SeeKeyset(Transaction& transaction, const KeysetId& id, UnixTime silent_since) {
  const pqxx::result rows = Execute(transaction, id.zone_id == 0 ? kSeeShared : kSeeOwn, id.namespace_id, id.zone_id,
                                    static_cast<std::int64_t>(silent_since.time_since_epoch().count()));
  const pqxx::row row = rows.front();
  KeysetSight sight{
      .published = row["taken"].as<bool>() && row["keys_server"].is_null() && row["cut_server"].is_null(), .resigned = false, .server = {}};
  sight.resigned = row["swept"].as<bool>() && row["swept_server"].is_null() && sight.published;
  for (const char* column : {"keys_server", "cut_server", "swept_server"}) {
    if (!row[column].is_null()) sight.server = row[column].as<std::string>();
  }
  return sight;
}

}  // namespace idzone::store
