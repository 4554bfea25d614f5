// SPDX-License-Identifier: MIT
#include "services/store/registry_zone.h"

#include "services/core/dns/denial.h"
#include "services/store/database.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr int kNodesAtOnce = 500;

#define IDZONE_ZONE_SELECT                                                                           \
  "select z.zone_id, z.name, n.name_text, n.operator_id, z.epoch, z.serial, z.digest, z.node_count," \
  " extract(epoch from z.last_signed_at)::bigint, n.namespace_id, z.denial from published.zone z"    \
  " join registry.namespace n on n.namespace_id = z.namespace_id"

constexpr Statement kFind{"zone_find", IDZONE_ZONE_SELECT " where z.name = $1::bytea"};
constexpr Statement kList{"zone_list", IDZONE_ZONE_SELECT
                          " where z.name_text > $1::text and ($2::text = '' or n.operator_id = $2::text)"
                          " order by z.name_text limit $3::bigint"};

#undef IDZONE_ZONE_SELECT

constexpr Statement kKeys{"zone_keys",
                          "select key_id, key_tag, algorithm, dnskey, (uses & 8) <> 0 from published.key"
                          " where namespace_id = $1::integer and zone_id in (0, $2::integer) and uses <> 0 order by created_at, key_id"};
constexpr Statement kNode{"zone_node",
                          "select denial_key, owner, rrsets, next_key, denial_rrsig from published.node"
                          " where zone_id = $1::integer and denial_key = $2::bytea"};
constexpr Statement kEdges{"zone_edges",
                           "select edge_id, epoch, serial, extract(epoch from reported_at)::bigint"
                           " from published.edge_position where zone_id = $1::integer order by edge_id"};
constexpr Statement kZoneId{"zone_id", "select zone_id, denial from published.zone where name = $1::bytea"};

tl::unexpected<Error> NotFound(const dns::Name& name) {
  return Fail(Reason::kNotFound, "zone", "a signed zone", name.Format());
}

Result<zone::Node> ReadNode(const pqxx::row& row) {
  auto owner = dns::Name::FromWire(OctetsOf(row[1]), "owner");
  if (!owner) return tl::unexpected(owner.error());
  auto rrsets = zone::DecodeRrSets(OctetsOf(row[2]), *owner);
  if (!rrsets) return tl::unexpected(rrsets.error());
  return zone::Node{std::move(*owner), std::move(*rrsets), {OctetsOf(row[3]), OctetsOf(row[4])}};
}

dns::DenialKind DenialOf(const pqxx::field& field) {
  return static_cast<dns::DenialKind>(field.as<int>());
}

Result<zone::Node> ReadApex(Transaction& transaction, std::int32_t zone_id, const dns::Name& name, OctetsView apex_key) {
  const pqxx::result found = Execute(transaction, kNode, zone_id, Bytea(apex_key));
  if (found.empty()) return Fail(Reason::kInternal, "zone " + name.Format(), "a node at the apex", "none");
  return ReadNode(found.front());
}

Result<ZoneRecord> Read(Transaction& transaction, const pqxx::row& row) {
  auto name = dns::Name::FromWire(OctetsOf(row[1]), "zone");
  if (!name) return tl::unexpected(name.error());
  ZoneRecord record{.name = std::move(*name),
                    .namespace_name = row[2].as<std::string>(),
                    .operator_id = row[3].as<std::string>(),
                    .denial = DenialOf(row[10]),
                    .position = {row[4].as<std::uint32_t>(), row[5].as<std::uint32_t>(), OctetsOf(row[6])},
                    .node_count = row[7].as<std::uint64_t>(),
                    .last_signed_at = TimeOf(row[8])};
  const auto zone_id = row[0].as<std::int32_t>();
  auto apex = ReadApex(transaction, zone_id, record.name, dns::DenialKeyOf(record.denial, record.name, record.name));
  if (!apex) return tl::unexpected(apex.error());
  record.apex = std::move(apex->rrsets);
  for (const pqxx::row& key : Execute(transaction, kKeys, row[9].as<std::int32_t>(), zone_id))
    record.keys.push_back({OctetsOf(key[0]), static_cast<std::uint16_t>(key[1].as<int>()), static_cast<std::uint8_t>(key[2].as<int>()),
                           OctetsOf(key[3]), key[4].as<bool>()});
  for (const pqxx::row& edge : Execute(transaction, kEdges, zone_id)) {
    EdgePositionRecord position{.edge_id = edge[0].as<std::string>(), .zone = record.name.Format()};
    position.epoch = edge[1].as<std::uint32_t>();
    position.serial = edge[2].as<std::uint32_t>();
    position.reported_at = TimeOf(edge[3]);
    record.edges.push_back(std::move(position));
  }
  return record;
}

}  // namespace

Result<ZoneRecord> FindZone(Database& database, const dns::Name& name) {
  return database.Transact("find zone", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<ZoneRecord> {
    const pqxx::result found = Execute(transaction, kFind, Bytea(name.wire()));
    if (found.empty()) return NotFound(name);
    return Read(transaction, found.front());
  });
}

Result<std::vector<ZoneRecord>> ListZones(Database& database, const std::string& operator_id, const PageOf& page) {
  return database.Transact("list zones", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<std::vector<ZoneRecord>> {
    std::vector<ZoneRecord> records;
    for (const pqxx::row& row : Execute(transaction, kList, page.after, operator_id, page.limit)) {
      auto record = Read(transaction, row);
      if (!record) return tl::unexpected(record.error());
      records.push_back(std::move(*record));
    }
    return records;
  });
}

Result<void> ReadZone(Database& database, const dns::Name& name, const TakeNode& take) {
  return database.Transact("read zone", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<void> {
    const pqxx::result found = Execute(transaction, kZoneId, Bytea(name.wire()));
    if (found.empty()) return NotFound(name);
    const auto zone_id = found[0][0].as<std::int32_t>();
    const dns::DenialKey apex_key = dns::DenialKeyOf(DenialOf(found[0][1]), name, name);
    auto apex = ReadApex(transaction, zone_id, name, apex_key);
    if (!apex) return tl::unexpected(apex.error());
    if (auto taken = take(apex_key, *apex); !taken) return taken;
    transaction.exec(
        "declare zone_nodes no scroll cursor for select denial_key, owner, rrsets, next_key, denial_rrsig"
        " from published.node where zone_id = " +
        std::to_string(zone_id) + " order by denial_key");
    const std::string fetch = "fetch " + std::to_string(kNodesAtOnce) + " from zone_nodes";
    for (pqxx::result rows = transaction.exec(fetch); !rows.empty(); rows = transaction.exec(fetch)) {
      for (const pqxx::row& row : rows) {
        const Octets key = OctetsOf(row[0]);
        if (key == apex_key) continue;
        auto node = ReadNode(row);
        if (!node) return tl::unexpected(node.error());
        if (auto taken = take(key, *node); !taken) return taken;
      }
    }
    return {};
  });
}

}  // namespace idzone::store
