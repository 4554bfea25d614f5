// SPDX-License-Identifier: MIT
#include "services/store/registry_zone_status.h"

#include <algorithm>

#include "services/core/dns/denial.h"
#include "services/core/zone/denial_signatures.h"
#include "services/core/zone/node.h"
#include "services/store/database.h"
#include "services/store/policy_row.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

/// A signer that lasts in its trouble says so twice a minute; what nobody repeats is over.
constexpr int kAlarmLastsSeconds = 180;

constexpr Statement kFind{
    "zone_status",
    "select z.zone_id, z.namespace_id, z.name_text, n.name_text as namespace_name, n.operator_id, z.denial, z.epoch,"
    " z.serial, z.node_count, extract(epoch from now())::bigint as now,"
    " extract(epoch from z.last_signed_at)::bigint as last_signed_at, extract(epoch from z.renew_at)::bigint as renew_at,"
    " extract(epoch from least(z.expires_behind, z.expires_ahead))::bigint as first_expiry, " IDZONE_POLICY_COLUMNS
    ","
    " (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d where d.namespace_id = z.namespace_id"
    " and d.kind = 1 order by d.kind, d.batch_id limit 1) as oldest_revocation,"
    " (select extract(epoch from d.created_at)::bigint from registry.dirty_batch d where d.namespace_id = z.namespace_id"
    " and d.kind = 2 order by d.kind, d.batch_id limit 1) as oldest_enrollment,"
    " (select extract(epoch from max(q.ends_at))::bigint from published.quarantine q"
    " where q.namespace_id = z.namespace_id and q.ends_at > now()) as quarantine_end"
    " from published.zone z join registry.namespace n on n.namespace_id = z.namespace_id"
    " join registry.policy p on p.name = n.policy where z.name = $1::bytea"};
constexpr Statement kApex{"zone_status_apex",
                          "select rrsets, denial_rrsig from published.node where zone_id = $1::integer and denial_key = $2::bytea"};
constexpr Statement kAlarms{"zone_status_alarms",
                            "select reason, detail, extract(epoch from raised_at)::bigint, extract(epoch from reported_at)::bigint"
                            " from published.alarm where namespace_id in (0, $1::integer)"
                            " and reported_at > now() - make_interval(secs => $2::integer) order by namespace_id, reason"};
constexpr Statement kSecondaries{"zone_status_secondaries",
                                 "select p.secondary_id, p.edge_id, s.notify_period_seconds, p.epoch, p.serial,"
                                 " extract(epoch from p.reported_at)::bigint from published.secondary_position p"
                                 " join published.secondary s using (edge_id, secondary_id)"
                                 " where p.zone_id = $1::integer order by p.secondary_id, p.edge_id"};
constexpr Statement kInsertWord{"clock_word_insert",
                                "insert into registry.clock_word (namespace_id, reason) values ($1::integer, $2::text)"
                                " on conflict do nothing"};
constexpr Statement kNamespaceOf{"clock_word_namespace", "select namespace_id from published.zone where name = $1::bytea"};

tl::unexpected<Error> NotFound(const dns::Name& name) {
  return Fail(Reason::kNotFound, "zone", "a signed zone", name.Format());
}

/// RFC 4034 §3.1.5: signature times are serial numbers; this is the one that is nearest to now.
UnixTime ExpiryOf(std::uint32_t expiration, UnixTime now) {
  return now + std::chrono::seconds(static_cast<std::int32_t>(expiration - ToRrsigTime(now)));
}

/// Returns when the first of the apex's signatures expires: they are renewed by a timer of their own, and the sweep passes over them.
Result<UnixTime> ApexExpiry(Transaction& transaction, std::int32_t zone_id, const dns::Name& name, dns::DenialKind denial, UnixTime now) {
  const pqxx::result rows = Execute(transaction, kApex, zone_id, Bytea(dns::DenialKeyOf(denial, name, name)));
  if (rows.empty()) return Fail(Reason::kInternal, "zone " + name.Format(), "a node at the apex", "none");
  const auto rrsets = zone::DecodeRrSets(OctetsOf(rows[0][0]), name);
  if (!rrsets) return tl::unexpected(rrsets.error());
  std::vector<Octets> rrsigs = zone::DecodeDenialSignatures(OctetsOf(rows[0][1]));
  for (const dns::RrSet& rrset : *rrsets) rrsigs.insert(rrsigs.end(), rrset.rrsigs.begin(), rrset.rrsigs.end());
  std::optional<UnixTime> first;
  for (const Octets& rrsig : rrsigs) {
    const auto fields = dns::ParseRrsig(rrsig);
    if (!fields) return tl::unexpected(fields.error());
    const UnixTime expiry = ExpiryOf(fields->expiration, now);
    first = std::min(first.value_or(expiry), expiry);
  }
  return *first;
}

Result<ZoneStatusRecord> Read(Transaction& transaction, const pqxx::row& row, const dns::Name& name) {
  ZoneStatusRecord status;
  status.zone = row["name_text"].as<std::string>();
  status.namespace_name = row["namespace_name"].as<std::string>();
  status.operator_id = row["operator_id"].as<std::string>();
  status.policy = ReadPolicy(row);
  status.epoch = row["epoch"].as<std::uint32_t>();
  status.serial = row["serial"].as<std::uint32_t>();
  status.node_count = row["node_count"].as<std::uint64_t>();
  status.now = TimeOf(row["now"]);
  status.last_signed_at = TimeOf(row["last_signed_at"]);
  status.renew_at = TimeOf(row["renew_at"]);
  status.oldest_revocation = OptionalTimeOf(row["oldest_revocation"]);
  status.oldest_enrollment = OptionalTimeOf(row["oldest_enrollment"]);
  status.quarantine_end = OptionalTimeOf(row["quarantine_end"]);
  const auto denial = static_cast<dns::DenialKind>(row["denial"].as<int>());
  const auto apex = ApexExpiry(transaction, row["zone_id"].as<std::int32_t>(), name, denial, status.now);
  if (!apex) return tl::unexpected(apex.error());
  status.first_expiry = std::min(*apex, OptionalTimeOf(row["first_expiry"]).value_or(*apex));
  status.alarms = ListAlarms(transaction, row["namespace_id"].as<std::int32_t>());
  for (const pqxx::row& secondary : Execute(transaction, kSecondaries, row["zone_id"].as<std::int32_t>()))
    status.secondaries.push_back({.secondary_id = secondary[0].as<std::string>(),
                                  .edge_id = secondary[1].as<std::string>(),
                                  .notify_period = std::chrono::seconds(secondary[2].as<int>()),
                                  .epoch = secondary[3].as<std::uint32_t>(),
                                  .serial = secondary[4].as<std::uint32_t>(),
                                  .reported_at = TimeOf(secondary[5])});
  return status;
}

}  // namespace

std::vector<AlarmRecord> ListAlarms(Transaction& transaction, std::int32_t namespace_id) {
  std::vector<AlarmRecord> alarms;
  for (const pqxx::row& alarm : Execute(transaction, kAlarms, namespace_id, kAlarmLastsSeconds))
    alarms.push_back({alarm[0].as<std::string>(), alarm[1].as<std::string>(), TimeOf(alarm[2]), TimeOf(alarm[3])});
  return alarms;
}

Result<std::vector<AlarmRecord>> ListAlarms(Database& database, std::int32_t namespace_id) {
  return database.Transact("alarms", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<std::vector<AlarmRecord>> {
    return ListAlarms(transaction, namespace_id);
  });
}

Result<ZoneStatusRecord> FindZoneStatus(Database& database, const dns::Name& name) {
  return database.Transact("zone status", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<ZoneStatusRecord> {
    const pqxx::result found = Execute(transaction, kFind, Bytea(name.wire()));
    if (found.empty()) return NotFound(name);
    return Read(transaction, found.front(), name);
  });
}

Result<void> TrustClock(Database& database, const Actor& actor, const dns::Name& zone, const std::string& reason) {
  return database.Transact("trust clock", [&](Transaction& transaction) -> Result<void> {
    const pqxx::result found = Execute(transaction, kNamespaceOf, Bytea(zone.wire()));
    if (found.empty()) return NotFound(zone);
    const auto namespace_id = found[0][0].as<std::int32_t>();
    Execute(transaction, kInsertWord, namespace_id, reason);
    WriteEvent(
        transaction, actor,
        {.kind = "clock.trusted", .namespace_id = namespace_id, .detail = JsonObject({{"zone", zone.Format()}, {"reason", reason}})});
    return {};
  });
}

}  // namespace idzone::store
