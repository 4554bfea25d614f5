// SPDX-License-Identifier: MIT
#include "services/store/registry_keyset.h"

#include <charconv>
#include <set>

#include "services/store/database.h"
#include "services/store/registry_event.h"
#include "services/store/registry_namespace.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

/// More than an operator types before the signer has taken the first.
constexpr int kWaitingCommandsMax = 8;

// 0: all zones share one set. Both never exist in one namespace.
constexpr Statement kFind{"keyset_of",
                          "select s.zone_id from published.keyset s left join published.zone z on z.zone_id = s.zone_id"
                          " where s.namespace_id = $1::integer and (s.zone_id = 0 or z.name = $2::bytea)"};
constexpr Statement kCount{"keyset_count",
                           "select count(*), count(style) from published.keyset where namespace_id = $1::integer and zone_id <> 0"};
constexpr Statement kKeyset{
    "keyset_find",
    "select coalesce(style, 0), coalesce(phase, 0), urgent, coalesce(algorithm, 0),"
    " extract(epoch from began_at)::bigint, extract(epoch from phase_at)::bigint, waits_for,"
    " extract(epoch from waits_until)::bigint, refused, parent_answer,"
    " extract(epoch from parent_asked_at)::bigint, tell_parent,"
    " (select count(*) from registry.key_command c where c.namespace_id = s.namespace_id and c.zone_id = s.zone_id),"
    // As SeeKeyset looks for the first of them; serials as RFC 1982 compares them.
    " (select coalesce(string_agg(server_id || ' (last report ' || to_char(seen at time zone 'utc',"
    "                             'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ')', ', ' order by server_id), '')"
    "    from (select e.server_id, max(e.reported_at) as seen"
    "            from published.zone z join published.zone_keys k using (zone_id)"
    "            join published.server_position e using (zone_id)"
    "           where z.namespace_id = s.namespace_id and s.zone_id in (0, z.zone_id)"
    "             and (e.epoch < greatest(k.keys_epoch, k.swept_epoch)"
    "                  or (e.epoch = k.keys_epoch and ((k.keys_serial - e.serial) & 4294967295) between 1 and 2147483647)"
    "                  or (e.epoch = k.swept_epoch and ((k.swept_serial - e.serial) & 4294967295) between 1 and 2147483647))"
    "           group by e.server_id order by e.server_id limit 5) behind),"
    " extract(epoch from keys_due_at)::bigint, extract(epoch from zsk_due_at)::bigint, emergency_follows"
    " from published.keyset s where namespace_id = $1::integer and zone_id = $2::integer"};
#define IDZONE_KEY_SELECT                                                                                \
  "select k.key_id, k.key_tag, k.algorithm, k.dnskey, k.role, k.state, k.uses,"                          \
  " extract(epoch from k.created_at)::bigint, extract(epoch from k.state_at)::bigint, k.zone_id, z.name" \
  " from published.key k left join published.zone z on z.zone_id = k.zone_id where k.namespace_id = $1::integer"
#define IDZONE_KEY_ORDER " order by k.zone_id, k.created_at, k.key_id"
constexpr Statement kKeys{"keyset_keys", IDZONE_KEY_SELECT " and k.zone_id = $2::integer" IDZONE_KEY_ORDER};
constexpr Statement kPage{"keyset_page", IDZONE_KEY_SELECT
                          " and k.zone_id in (select s.zone_id from published.keyset s where s.namespace_id = $1::integer"
                          "                    and s.zone_id > $2::integer order by s.zone_id limit $3::bigint)" IDZONE_KEY_ORDER};
#undef IDZONE_KEY_SELECT
#undef IDZONE_KEY_ORDER
// -1: for all sets.
constexpr Statement kCommand{
    "keyset_command",
    "insert into registry.key_command (namespace_id, zone_id, kind, style, algorithm, roles, urgent)"
    " select s.namespace_id, s.zone_id, $2::smallint, nullif($3::smallint, 0), nullif($4::smallint, 0), $5::smallint[], $6::boolean"
    "   from published.keyset s where s.namespace_id = $1::integer and $7::integer in (-1, s.zone_id)"
    "    and ($2::smallint = 2 or $6::boolean or s.style is null)"
    "    and (select count(*) from registry.key_command c where c.namespace_id = s.namespace_id and c.zone_id = s.zone_id) < $8::bigint"};

KeysetRecord KeysetOf(const pqxx::row& row) {
  return {.style = row[0].as<int>(),
          .phase = row[1].as<int>(),
          .urgent = row[2].as<bool>(),
          .emergency_follows = row[16].as<bool>(),
          .algorithm = row[3].as<int>(),
          .began_at = OptionalTimeOf(row[4]),
          .phase_at = OptionalTimeOf(row[5]),
          .waits_for = row[6].as<int>(),
          .waits_until = OptionalTimeOf(row[7]),
          .refused = row[8].as<std::string>(),
          .parent_answer = row[9].as<std::string>(),
          .parent_asked_at = OptionalTimeOf(row[10]),
          .awaits_parent = row[11].as<bool>(),
          .waiting_commands = row[12].as<int>(),
          .keys_due_at = OptionalTimeOf(row[14]),
          .zsk_due_at = OptionalTimeOf(row[15]),
          .edges_behind = row[13].as<std::string>()};
}

SigningKeyRecord KeyOf(const pqxx::row& row, const NamespaceRecord& home) {
  SigningKeyRecord key{.zone = home.name,
                       .key_id = OctetsOf(row[0]),
                       .key_tag = static_cast<std::uint16_t>(row[1].as<int>()),
                       .algorithm = static_cast<std::uint8_t>(row[2].as<int>()),
                       .dnskey = OctetsOf(row[3]),
                       .role = static_cast<zone::KeyRole>(row[4].as<int>()),
                       .state = static_cast<zone::KeyState>(row[5].as<int>()),
                       .uses = zone::DecodeKeyUses(static_cast<std::uint8_t>(row[6].as<int>())),
                       .created_at = TimeOf(row[7]),
                       .state_at = TimeOf(row[8])};
  if (row[10].is_null()) return key;
  if (auto zone = dns::Name::FromWire(OctetsOf(row[10]), "zone")) key.zone = *std::move(zone);
  return key;
}

/// What was looked for, and which set it is.
struct Found {
  NamespaceKeys keys;
  std::int32_t zone_id = 0;
};

Result<Found> FindIn(Transaction& transaction, const KeysetName& name) {
  auto home = FindNamespaceIn(transaction, name.home);
  if (!home) return tl::unexpected(home.error());
  const dns::Name zone = name.zone.value_or(home->name);
  Found found{{.home = std::move(*home), .zone = zone, .keyset = {}, .keys = {}}, 0};
  const std::int32_t namespace_id = found.keys.home.namespace_id;
  const pqxx::result which = Execute(transaction, kFind, namespace_id, Bytea(zone.wire()));
  if (!which.empty()) found.zone_id = which[0][0].as<std::int32_t>();
  if (zone != found.keys.home.name && found.zone_id == 0)
    return Fail(Reason::kNotFound, "zone_name", "a zone of " + name.home.Format() + " with keys of its own", zone.Format());
  if (which.empty()) return found;
  const pqxx::row counts = Execute(transaction, kCount, namespace_id).front();
  found.keys.zones_with_keys = counts[0].as<int>();
  found.keys.zones_rolling = counts[1].as<int>();
  found.keys.keyset = KeysetOf(Execute(transaction, kKeyset, namespace_id, found.zone_id).front());
  for (const pqxx::row& row : Execute(transaction, kKeys, namespace_id, found.zone_id))
    found.keys.keys.push_back(KeyOf(row, found.keys.home));
  return found;
}

/// Whom a command is for: one set, or (-1) all of a namespace.
Result<void> WriteCommand(Transaction& transaction, const Actor& actor, const NamespaceKeys& found, std::int32_t zone_id, int kind,
                          const RollOrder& order) {
  std::vector<std::int16_t> roles;
  for (const zone::KeyRole role : order.roles) roles.push_back(static_cast<std::int16_t>(role));
  const auto written = Execute(transaction, kCommand, found.home.namespace_id, kind, order.style, order.algorithm, SmallintArray(roles),
                               order.urgent, zone_id, static_cast<std::int64_t>(kWaitingCommandsMax))
                           .affected_rows();
  if (written == 0)
    return Fail(Reason::kLimitExceeded, "key commands", "at most " + std::to_string(kWaitingCommandsMax) + " that the signer has not taken",
                std::to_string(found.keyset->waiting_commands));
  WriteEvent(transaction, actor,
             {.kind = kind == 1 ? "key.roll_ordered" : "key.parent_confirmed",
              .namespace_id = found.home.namespace_id,
              .detail = JsonObject({{"style", std::to_string(order.style)},
                                    {"emergency", order.urgent ? "yes" : "no"},
                                    {"zone", zone_id == -1 ? "all" : found.zone.Format()}})});
  return {};
}

}  // namespace

Result<NamespaceKeys> FindNamespaceKeys(Database& database, const KeysetName& name) {
  return database.Transact("find keys", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<NamespaceKeys> {
    auto found = FindIn(transaction, name);
    if (!found) return tl::unexpected(found.error());
    return std::move(found->keys);
  });
}

Result<NamespaceKeys> FindKeysOfZone(Database& database, const dns::Name& home, const dns::Name& zone) {
  return database.Transact("find keys", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<NamespaceKeys> {
    auto found = FindIn(transaction, {home, zone});
    if (!found && found.error().reason == Reason::kNotFound) found = FindIn(transaction, {home});
    if (!found) return tl::unexpected(found.error());
    return std::move(found->keys);
  });
}

Result<KeyPage> ListKeys(Database& database, const KeysetName& name, const PageOf& page) {
  return database.Transact("list keys", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<KeyPage> {
    auto found = FindIn(transaction, name);
    if (!found) return tl::unexpected(found.error());
    KeyPage listed{.home = std::move(found->keys.home), .keys = {}, .next = {}};
    if (name.zone || found->keys.zones_with_keys == 0) {
      listed.keys = std::move(found->keys.keys);
      return listed;
    }
    std::set<std::int32_t> zone_ids;
    std::int32_t after = 0;
    const char* const end = page.after.data() + page.after.size();
    if (!page.after.empty() && std::from_chars(page.after.data(), end, after).ptr != end)
      return Fail(Reason::kPageTokenInvalid, "page_token", "one of this list", "another");
    for (const pqxx::row& row : Execute(transaction, kPage, listed.home.namespace_id, after, page.limit)) {
      listed.keys.push_back(KeyOf(row, listed.home));
      zone_ids.insert(row[9].as<std::int32_t>());
    }
    if (static_cast<std::int64_t>(zone_ids.size()) == page.limit) listed.next = std::to_string(*zone_ids.rbegin());
    return listed;
  });
}

Result<NamespaceKeys> OrderRoll(Database& database, const Actor& actor, const KeysetName& name, const RollOrder& order) {
  return database.Transact("order roll", [&](Transaction& transaction) -> Result<NamespaceKeys> {
    const auto found = FindIn(transaction, name);
    if (!found) return tl::unexpected(found.error());
    const NamespaceKeys& keys = found->keys;
    if (!keys.keyset)
      return Fail(Reason::kNamespaceNotReady, "namespace " + name.home.Format(), "one whose zone is made", "one without keys");
    const bool all = !name.zone && keys.zones_with_keys > 0;
    const bool rolls = all ? keys.zones_rolling == keys.zones_with_keys : keys.keyset->style != 0;
    if (rolls && !order.urgent) return Fail(Reason::kNamespaceNotReady, "key roll", "none under way", "one; only an emergency replaces it");
    if (auto written = WriteCommand(transaction, actor, keys, all ? -1 : found->zone_id, 1, order); !written)
      return tl::unexpected(written.error());
    auto after = FindIn(transaction, name);
    if (!after) return tl::unexpected(after.error());
    return std::move(after->keys);
  });
}

Result<NamespaceKeys> OrderParentConfirmed(Database& database, const Actor& actor, const dns::Name& home) {
  return database.Transact("confirm parent", [&](Transaction& transaction) -> Result<NamespaceKeys> {
    const auto found = FindIn(transaction, {home});
    if (!found) return tl::unexpected(found.error());
    if (!found->keys.keyset || !found->keys.keyset->awaits_parent)
      return Fail(Reason::kNamespaceNotReady, "key roll", "one that waits for the parent's DS records", "none");
    const RollOrder none{.style = 0, .algorithm = 0, .roles = {}, .urgent = false};
    if (auto written = WriteCommand(transaction, actor, found->keys, found->zone_id, 2, none); !written)
      return tl::unexpected(written.error());
    auto after = FindIn(transaction, {home});
    if (!after) return tl::unexpected(after.error());
    return std::move(after->keys);
  });
}

}  // namespace idzone::store
