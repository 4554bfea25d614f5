// SPDX-License-Identifier: MIT
#include "services/store/registry_keyset.h"

#include "services/store/database.h"
#include "services/store/registry_event.h"
#include "services/store/registry_namespace.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

/// More than an operator types before the signer has taken the first.
constexpr int kWaitingCommandsMax = 8;

constexpr Statement kKeyset{
    "keyset_find",
    "select coalesce(style, 0), coalesce(phase, 0), urgent, coalesce(algorithm, 0),"
    " extract(epoch from began_at)::bigint, extract(epoch from phase_at)::bigint, waits_for,"
    " extract(epoch from waits_until)::bigint, refused, parent_answer,"
    " extract(epoch from parent_asked_at)::bigint,"
    " tell_parent, (select count(*) from registry.key_command c where c.namespace_id = s.namespace_id),"
    // As SeeKeyset looks for the first of them; serials as RFC 1982 compares them.
    " (select coalesce(string_agg(edge_id || ' (last report ' || to_char(seen at time zone 'utc',"
    "                             'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ')', ', ' order by edge_id), '')"
    "    from (select e.edge_id, max(e.reported_at) as seen"
    "            from published.zone z join published.zone_keys k using (zone_id)"
    "            join published.edge_position e using (zone_id)"
    "           where z.namespace_id = s.namespace_id"
    "             and (e.epoch < greatest(k.keys_epoch, k.swept_epoch)"
    "                  or (e.epoch = k.keys_epoch and ((k.keys_serial - e.serial) & 4294967295) between 1 and 2147483647)"
    "                  or (e.epoch = k.swept_epoch and ((k.swept_serial - e.serial) & 4294967295) between 1 and 2147483647))"
    "           group by e.edge_id order by e.edge_id limit 5) behind)"
    " from published.keyset s where namespace_id = $1::integer"};
constexpr Statement kKeys{"keyset_keys",
                          "select key_id, key_tag, algorithm, dnskey, role, state, uses, extract(epoch from created_at)::bigint,"
                          " extract(epoch from state_at)::bigint from published.key where namespace_id = $1::integer"
                          " order by created_at, key_id"};
constexpr Statement kCommand{"keyset_command",
                             "insert into registry.key_command (namespace_id, kind, style, algorithm, roles, urgent)"
                             " values ($1::integer, $2::smallint, nullif($3::smallint, 0), nullif($4::smallint, 0), $5::smallint[],"
                             " $6::boolean)"};

KeysetRecord KeysetOf(const pqxx::row& row) {
  return {.style = row[0].as<int>(),
          .phase = row[1].as<int>(),
          .urgent = row[2].as<bool>(),
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
          .edges_behind = row[13].as<std::string>()};
}

Result<NamespaceKeys> FindIn(Transaction& transaction, const dns::Name& name) {
  auto home = FindNamespaceIn(transaction, name);
  if (!home) return tl::unexpected(home.error());
  NamespaceKeys found{.home = std::move(*home), .keyset = {}, .keys = {}};
  const pqxx::result keyset = Execute(transaction, kKeyset, found.home.namespace_id);
  if (!keyset.empty()) found.keyset = KeysetOf(keyset.front());
  for (const pqxx::row& row : Execute(transaction, kKeys, found.home.namespace_id))
    found.keys.push_back({.key_id = OctetsOf(row[0]),
                          .key_tag = static_cast<std::uint16_t>(row[1].as<int>()),
                          .algorithm = static_cast<std::uint8_t>(row[2].as<int>()),
                          .dnskey = OctetsOf(row[3]),
                          .role = static_cast<zone::KeyRole>(row[4].as<int>()),
                          .state = static_cast<zone::KeyState>(row[5].as<int>()),
                          .uses = zone::DecodeKeyUses(static_cast<std::uint8_t>(row[6].as<int>())),
                          .created_at = TimeOf(row[7]),
                          .state_at = TimeOf(row[8])});
  return found;
}

Result<void> WriteCommand(Transaction& transaction, const Actor& actor, const NamespaceKeys& found, int kind, const RollOrder& order) {
  if (found.keyset->waiting_commands >= kWaitingCommandsMax)
    return Fail(Reason::kLimitExceeded, "key commands", "at most " + std::to_string(kWaitingCommandsMax) + " that the signer has not taken",
                std::to_string(found.keyset->waiting_commands));
  std::vector<std::int16_t> roles;
  for (const zone::KeyRole role : order.roles) roles.push_back(static_cast<std::int16_t>(role));
  Execute(transaction, kCommand, found.home.namespace_id, kind, order.style, order.algorithm, SmallintArray(roles), order.urgent);
  WriteEvent(transaction, actor,
             {.kind = kind == 1 ? "key.roll_ordered" : "key.parent_confirmed",
              .namespace_id = found.home.namespace_id,
              .detail = JsonObject({{"style", std::to_string(order.style)}, {"emergency", order.urgent ? "yes" : "no"}})});
  return {};
}

}  // namespace

Result<NamespaceKeys> FindNamespaceKeys(Database& database, const dns::Name& name) {
  return database.Transact("find keys", Isolation::kRepeatableReadOnly,
                           [&](Transaction& transaction) -> Result<NamespaceKeys> { return FindIn(transaction, name); });
}

Result<NamespaceKeys> OrderRoll(Database& database, const Actor& actor, const dns::Name& name, const RollOrder& order) {
  return database.Transact("order roll", [&](Transaction& transaction) -> Result<NamespaceKeys> {
    const auto found = FindIn(transaction, name);
    if (!found) return found;
    if (!found->keyset) return Fail(Reason::kNamespaceNotReady, "namespace " + name.Format(), "one whose zone is made", "one without keys");
    if (found->keyset->style != 0 && !order.urgent)
      return Fail(Reason::kNamespaceNotReady, "key roll", "none under way", "one; only an emergency replaces it");
    if (auto written = WriteCommand(transaction, actor, *found, 1, order); !written) return tl::unexpected(written.error());
    return FindIn(transaction, name);
  });
}

Result<NamespaceKeys> OrderParentConfirmed(Database& database, const Actor& actor, const dns::Name& name) {
  return database.Transact("confirm parent", [&](Transaction& transaction) -> Result<NamespaceKeys> {
    const auto found = FindIn(transaction, name);
    if (!found) return found;
    if (!found->keyset || !found->keyset->awaits_parent)
      return Fail(Reason::kNamespaceNotReady, "key roll", "one that waits for the parent's DS records", "none");
    if (auto written = WriteCommand(transaction, actor, *found, 2, {.style = 0, .algorithm = 0, .roles = {}, .urgent = false}); !written)
      return tl::unexpected(written.error());
    return FindIn(transaction, name);
  });
}

}  // namespace idzone::store
