// SPDX-License-Identifier: MIT
#include "services/store/feed_store.h"

#include <algorithm>
#include <optional>

#include "services/core/dns/denial.h"
#include "services/store/database.h"
#include "services/store/encoding.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr std::int64_t kSnapshotPageNodes = 500;

constexpr Statement kListZones{"feed_list_zones",
                               "select z.zone_id, z.name, z.epoch, z.serial, z.digest, z.denial, p.name from published.zone z"
                               " left join published.zone p on p.zone_id = z.parent_id order by z.name"};

// The running total says where the slice ends before any delta is fetched: an out-of-line value knows its size.
#define IDZONE_READ_JOURNALS(only, wanted)                                                                                  \
  "select r.zone_id, v.serial, v.previous_serial, v.previous_digest, v.digest, v.octets > $6::bigint,"                      \
  "       case when v.octets <= $6::bigint then v.delta else ''::bytea end"                                                 \
  "  from unnest($1::integer[], $2::bigint[], $3::bigint[]) r(zone_id, epoch, serial)"                                      \
  " cross join lateral ("                                                                                                   \
  "       select w.*, octet_length(w.delta) as octets, first_value(w.previous_serial) over (order by w.serial) as follows," \
  "              sum(octet_length(w.delta)) over (order by w.serial) - octet_length(w.delta) as before"                     \
  "         from (select x.serial, x.previous_serial, x.previous_digest, x.digest, x.delta from published.version x"        \
  "                where x.zone_id = r.zone_id and x.epoch = r.epoch and x.serial > r.serial" only                          \
  "                order by x.serial limit $4::bigint) w) v"                                                                \
  " where v.before < $5::bigint" wanted " order by r.zone_id, v.serial"
// Eight slots are looked into for each zone; the one that is written now mostly has all that is asked for, from the next version on.
constexpr Statement kReadCurrentSlot{
    "feed_read_current_slot", IDZONE_READ_JOURNALS(" and x.slot = (select j.slot from published.journal j)", " and v.follows = r.serial")};
constexpr Statement kReadAllSlots{"feed_read_all_slots", IDZONE_READ_JOURNALS("", "")};
#undef IDZONE_READ_JOURNALS

constexpr Statement kSnapshotZone{"feed_snapshot_zone",
                                  "select z.epoch, z.serial, z.digest, z.node_count from published.zone z where z.zone_id = $1::integer"};

#define IDZONE_FEED_NODE_COLUMNS "n.denial_key, n.owner, n.rrsets, n.next_key, n.denial_rrsig"
constexpr Statement kSnapshotApex{"feed_snapshot_apex", "select " IDZONE_FEED_NODE_COLUMNS
                                                        " from published.node n"
                                                        " where n.zone_id = $1::integer and n.denial_key = $2::bytea"};
constexpr Statement kSnapshotNodes{"feed_snapshot_nodes", "select " IDZONE_FEED_NODE_COLUMNS
                                                          " from published.node n"
                                                          " where n.zone_id = $1::integer and n.denial_key > $2::bytea"
                                                          " order by n.denial_key limit $3::bigint"};

constexpr Statement kFindEdge{
    "feed_find_edge",
    "select e.edge_id, (extract(epoch from e.created_at) * 1000000)::bigint from registry.edge e where e.fingerprint = $1::bytea"};

// What an edge says that was removed meanwhile goes nowhere.
constexpr Statement kWritePositions{"feed_write_positions", R"(
insert into published.edge_position (edge_id, zone_id, epoch, serial, digest)
select u.edge_id, u.zone_id, u.epoch, u.serial, u.digest
  from unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bytea[]) u(edge_id, zone_id, epoch, serial, digest)
  join registry.edge e on e.edge_id = u.edge_id
 order by u.edge_id, u.zone_id
on conflict (edge_id, zone_id) do update
   set epoch = excluded.epoch, serial = excluded.serial, digest = excluded.digest, reported_at = now())"};

constexpr Statement kForgetSecondaries{"feed_forget_secondaries",
                                       "delete from published.secondary where edge_id = $1::text and secondary_id <> all ($2::text[])"};
constexpr Statement kWriteSecondaries{"feed_write_secondaries", R"(
insert into published.secondary as s (edge_id, secondary_id, notify_period_seconds)
select e.edge_id, u.secondary_id, $3::integer from registry.edge e cross join unnest($2::text[]) u(secondary_id) where e.edge_id = $1::text
on conflict (edge_id, secondary_id) do update set notify_period_seconds = excluded.notify_period_seconds
 where s.notify_period_seconds <> excluded.notify_period_seconds)"};
constexpr Statement kForgetSecondaryPositions{"feed_forget_secondary_positions", R"(
delete from published.secondary_position p using unnest($2::text[], $3::integer[]) u(secondary_id, zone_id)
 where p.edge_id = $1::text and p.secondary_id = u.secondary_id and p.zone_id = u.zone_id)"};
constexpr Statement kWriteSecondaryPositions{"feed_write_secondary_positions", R"(
insert into published.secondary_position (edge_id, secondary_id, zone_id, epoch, serial)
select $1::text, u.secondary_id, u.zone_id, u.epoch, u.serial
  from unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[]) u(secondary_id, zone_id, epoch, serial)
  join published.secondary s on s.edge_id = $1::text and s.secondary_id = u.secondary_id
 order by u.zone_id, u.secondary_id
on conflict (zone_id, edge_id, secondary_id) do update set epoch = excluded.epoch, serial = excluded.serial, reported_at = now())"};

Result<zone::NodeChange> NodeOf(const pqxx::row& row) {
  zone::NodeChange node;
  node.key = OctetsOf(row[0]);
  auto owner = dns::Name::FromWire(OctetsOf(row[1]), "published.node.owner");
  if (!owner) return tl::unexpected(owner.error());
  auto rrsets = zone::DecodeRrSets(OctetsOf(row[2]), *owner);
  if (!rrsets) return tl::unexpected(rrsets.error());
  node.data = zone::NodeChange::Data{std::move(*owner), std::move(*rrsets)};
  node.denial = zone::Denial{OctetsOf(row[3]), OctetsOf(row[4])};
  return node;
}

Result<void> ReadNodes(Transaction& transaction, const FeedZone& zone, const FeedSnapshotSink& sink) {
  Octets after;  // below every key
  while (true) {
    const pqxx::result rows = Execute(transaction, kSnapshotNodes, zone.zone_id, Bytea(after), kSnapshotPageNodes);
    std::vector<zone::NodeChange> nodes;
    nodes.reserve(rows.size());
    for (const pqxx::row& row : rows) {
      auto node = NodeOf(row);
      if (!node) return tl::unexpected(node.error());
      nodes.push_back(std::move(*node));
    }
    if (nodes.empty()) return {};
    after = nodes.back().key;
    if (auto taken = sink.nodes(nodes); !taken) return taken;
  }
}

using Journals = std::map<std::int32_t, std::vector<FeedVersion>>;

/// Reads by `statement` what follows those places; `serial_of` says after which serial.
template <typename SerialOf>
void ReadInto(Journals& journals, Transaction& transaction, const Statement& statement, const std::vector<JournalPlace>& places,
              const JournalSlice& slice, SerialOf serial_of) {
  if (places.empty()) return;
  std::vector<std::int32_t> zone_ids;
  std::vector<std::int64_t> epochs, serials;
  std::map<std::int32_t, zone::Epoch> epoch_of;
  for (const JournalPlace& place : places) {
    zone_ids.push_back(place.zone_id);
    epochs.push_back(place.after.epoch);
    serials.push_back(serial_of(place));
    epoch_of[place.zone_id] = place.after.epoch;
  }
  for (const pqxx::row& row : Execute(transaction, statement, IntegerArray(zone_ids), BigintArray(epochs), BigintArray(serials),
                                      slice.versions_max, slice.octets_max, slice.delta_max)) {
    const auto zone_id = NumberOf<std::int32_t>(row[0]);
    journals[zone_id].push_back({.position = {epoch_of[zone_id], NumberOf<std::uint32_t>(row[1]), OctetsOf(row[4])},
                                 .previous_serial = NumberOf<std::uint32_t>(row[2]),
                                 .previous_digest = OctetsOf(row[3]),
                                 .oversized = row[5].as<bool>(),
                                 .delta = OctetsOf(row[6])});
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> FeedSessionSettings() {
  return {{"enable_seqscan", "off"},
          {"enable_bitmapscan", "off"},
          {"enable_sort", "off"},
          {"jit", "off"},
          {"plan_cache_mode", "force_generic_plan"}};
}

Result<std::vector<FeedZone>> ListFeedZones(Database& database) {
  return database.Transact("feed zones", [](Transaction& transaction) -> Result<std::vector<FeedZone>> {
    std::vector<FeedZone> zones;
    for (const pqxx::row& row : Execute(transaction, kListZones)) {
      auto name = dns::Name::FromWire(OctetsOf(row[1]), "published.zone.name");
      if (!name) return tl::unexpected(name.error());
      std::optional<dns::Name> parent;
      if (!row[6].is_null()) {
        auto read = dns::Name::FromWire(OctetsOf(row[6]), "published.zone.name");
        if (!read) return tl::unexpected(read.error());
        parent = *std::move(read);
      }
      zones.push_back({.zone_id = NumberOf<std::int32_t>(row[0]),
                       .name = std::move(*name),
                       .denial = static_cast<dns::DenialKind>(NumberOf<int>(row[5])),
                       .position = {NumberOf<std::uint32_t>(row[2]), NumberOf<std::uint32_t>(row[3]), OctetsOf(row[4])},
                       .parent = std::move(parent)});
    }
    std::stable_sort(zones.begin(), zones.end(),
                     [](const FeedZone& left, const FeedZone& right) { return left.name.label_count() > right.name.label_count(); });
    return zones;
  });
}

Result<std::map<std::int32_t, std::vector<FeedVersion>>> ReadJournals(Database& database, const std::vector<JournalPlace>& places,
                                                                      const JournalSlice& slice) {
  return database.Transact("feed journals", [&](Transaction& transaction) -> Result<Journals> {
    Journals journals;
    const auto own_serial = [](const JournalPlace& place) { return place.after.serial; };
    ReadInto(journals, transaction, kReadCurrentSlot, places, slice, own_serial);
    std::vector<JournalPlace> elsewhere;
    for (const JournalPlace& place : places) {
      if (!journals.contains(place.zone_id)) elsewhere.push_back(place);
    }
    ReadInto(journals, transaction, kReadAllSlots, elsewhere, slice, own_serial);
    // RFC 1982: after the greatest serial comes the smallest.
    std::vector<JournalPlace> wrapped;
    for (const JournalPlace& place : places) {
      if (place.after.serial > 0x80000000u && !journals.contains(place.zone_id)) wrapped.push_back(place);
    }
    ReadInto(journals, transaction, kReadAllSlots, wrapped, slice, [](const JournalPlace&) { return 0; });
    for (const JournalPlace& place : places) {
      std::erase_if(journals[place.zone_id],
                    [&](const FeedVersion& version) { return !dns::SerialLess(place.after.serial, version.position.serial); });
    }
    return journals;
  });
}

Result<void> ReadFeedSnapshot(Database& database, const FeedZone& zone, const FeedSnapshotSink& sink) {
  return database.Transact("feed snapshot", Isolation::kRepeatableReadOnly, [&](Transaction& transaction) -> Result<void> {
    const pqxx::result found = Execute(transaction, kSnapshotZone, zone.zone_id);
    const dns::DenialKey apex_key = dns::DenialKeyOf(zone.denial, zone.name, zone.name);
    const pqxx::result apex_row = Execute(transaction, kSnapshotApex, zone.zone_id, Bytea(apex_key));
    if (found.empty() || apex_row.empty()) return Fail(Reason::kNotFound, "zone " + zone.name.Format(), "a zone with an apex", "none");
    const zone::ZonePosition position{NumberOf<std::uint32_t>(found[0][0]), NumberOf<std::uint32_t>(found[0][1]), OctetsOf(found[0][2])};
    const auto apex = NodeOf(apex_row[0]);
    if (!apex) return tl::unexpected(apex.error());
    if (auto begun = sink.begin(position, NumberOf<std::uint64_t>(found[0][3]), *apex); !begun) return begun;
    return ReadNodes(transaction, zone, sink);
  });
}

Result<FoundEdge> FindEdgeByFingerprint(Database& database, OctetsView fingerprint) {
  return database.Transact("feed edge", [&](Transaction& transaction) -> Result<FoundEdge> {
    const pqxx::result found = Execute(transaction, kFindEdge, Bytea(fingerprint));
    if (found.empty()) return Fail(Reason::kNotFound, "edge", "a registered edge's key", "SHA-256 " + HexEncode(fingerprint));
    return FoundEdge{found[0][0].as<std::string>(), NumberOf<std::int64_t>(found[0][1])};
  });
}

Result<void> WriteEdgePositions(Database& database, const std::vector<EdgePosition>& positions) {
  std::vector<std::string_view> edge_ids;
  std::vector<std::int32_t> zone_ids;
  std::vector<std::int64_t> epochs;
  std::vector<std::int64_t> serials;
  std::vector<OctetsView> digests;
  for (const EdgePosition& position : positions) {
    edge_ids.push_back(position.edge_id);
    zone_ids.push_back(position.zone_id);
    epochs.push_back(position.position.epoch);
    serials.push_back(position.position.serial);
    digests.push_back(position.position.digest);
  }
  return database.Transact("feed positions", [&](Transaction& transaction) -> Result<void> {
    Execute(transaction, kWritePositions, TextArray(edge_ids), IntegerArray(zone_ids), BigintArray(epochs), BigintArray(serials),
            ByteaArray(digests));
    return {};
  });
}

Result<void> WriteSecondaries(Database& database, const EdgeSecondaries& secondaries) {
  const std::vector<std::string_view> ids(secondaries.secondary_ids.begin(), secondaries.secondary_ids.end());
  struct Columns {
    std::vector<std::string_view> ids;
    std::vector<std::int32_t> zones;
    std::vector<std::int64_t> epochs;
    std::vector<std::int64_t> serials;
  } there, gone;
  for (const SecondaryPosition& position : secondaries.positions) {
    Columns& columns = position.serves ? there : gone;
    columns.ids.push_back(position.secondary_id);
    columns.zones.push_back(position.zone_id);
    columns.epochs.push_back(position.epoch);
    columns.serials.push_back(position.serial);
  }
  return database.Transact("feed secondaries", [&](Transaction& transaction) -> Result<void> {
    Execute(transaction, kForgetSecondaries, secondaries.edge_id, TextArray(ids));
    if (!ids.empty())
      Execute(transaction, kWriteSecondaries, secondaries.edge_id, TextArray(ids), static_cast<int>(secondaries.notify_period.count()));
    if (!gone.ids.empty())
      Execute(transaction, kForgetSecondaryPositions, secondaries.edge_id, TextArray(gone.ids), IntegerArray(gone.zones));
    if (!there.ids.empty())
      Execute(transaction, kWriteSecondaryPositions, secondaries.edge_id, TextArray(there.ids), IntegerArray(there.zones),
              BigintArray(there.epochs), BigintArray(there.serials));
    return {};
  });
}

}  // namespace idzone::store
