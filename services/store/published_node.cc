// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>
#include <tuple>

#include "services/core/base/error.h"
#include "services/store/encoding.h"
#include "services/store/failure.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

#define IDZONE_NODE_COLUMNS "n.zone_id, n.denial_key, n.owner, n.child_count, n.rrsets, n.next_key, n.denial_rrsig, n.ctid"

// Shapes of plans. A join of unnest() with the nodes, and `= any(array)` too, leave the planner the choice to walk through
// the whole zone and look for each node in the array, which it takes on a zone without statistics. These statements leave
// no choice: `offset 0` keeps a lateral look-up where it stands, and a row is changed by the address at which it was read,
// which cannot move under the lock of the namespace's zone. The key is compared all the same.
constexpr Statement kLoadNodes{"published_load_nodes", R"(
select f.* from unnest($1::integer[], $2::bytea[]) u(zone_id, denial_key)
 cross join lateral (
       select )" IDZONE_NODE_COLUMNS R"( from published.node n
        where n.zone_id = u.zone_id and n.denial_key = u.denial_key offset 0) f)"};

// What is at each place or, where nothing is, what stands before it, in the order of the columns above: one look-up instead of two
// for each name that is new. A place before the first node gets a row without a node.
constexpr Statement kLoadAround{"published_load_around", R"(
select u.zone_id, p.denial_key, p.owner, p.child_count, p.rrsets, p.next_key, p.denial_rrsig, p.address, p.rr_types
  from unnest($1::integer[], $2::bytea[]) u(zone_id, denial_key)
  left join lateral (
       select n.denial_key, case when n.denial_key = u.denial_key then n.owner end as owner, n.child_count,
              case when n.denial_key = u.denial_key then n.rrsets end as rrsets, n.next_key,
              case when n.denial_key = u.denial_key then n.denial_rrsig end as denial_rrsig, n.ctid as address, n.rr_types
         from published.node n
        where n.zone_id = u.zone_id and n.denial_key <= u.denial_key order by n.denial_key desc limit 1) p on true)"};

// One backward step in the primary key for each place. A key before the first node gets a row without a node.
constexpr Statement kLoadPredecessors{"published_load_predecessors", R"(
select u.zone_id, p.denial_key, p.rr_types, p.next_key, p.address
  from unnest($1::integer[], $2::bytea[]) u(zone_id, denial_key)
  left join lateral (
       select n.denial_key, n.rr_types, n.next_key, n.ctid as address from published.node n
        where n.zone_id = u.zone_id and n.denial_key < u.denial_key order by n.denial_key desc limit 1) p on true)"};

constexpr Statement kLoadLast{"published_load_last", R"(
select u.zone_id, p.denial_key, p.rr_types, p.next_key, p.address
  from unnest($1::integer[]) u(zone_id)
 cross join lateral (
       select n.denial_key, n.rr_types, n.next_key, n.ctid as address from published.node n
        where n.zone_id = u.zone_id order by n.denial_key desc limit 1) p)"};

constexpr Statement kLoadHashRange{"published_load_hash_range", "select " IDZONE_NODE_COLUMNS R"(
  from published.node n
 where n.zone_id = $1::integer and n.denial_key > $2::bytea and n.denial_key <= $3::bytea
 order by n.denial_key limit $4::bigint)"};

// The expressions are those of the index node_sweep.
constexpr Statement kLoadDigestRange{"published_load_digest_range", "select " IDZONE_NODE_COLUMNS R"(
  from published.node n
 where n.zone_id = $1::integer and get_byte(n.denial_key, 0) = 0
   and substr(sha256(n.owner), 1, 20) > $2::bytea and substr(sha256(n.owner), 1, 20) <= $3::bytea
 order by substr(sha256(n.owner), 1, 20) limit $4::bigint)"};

// A list of types travels as PostgreSQL's text form of an array, because arrays of arrays cannot have rows of different
// lengths; the domain's CHECK judges it.
constexpr Statement kInsertNodes{"published_insert_nodes", R"(
insert into published.node (zone_id, denial_key, owner, child_count, rr_types, rrsets, next_key, denial_rrsig)
select u.zone_id, u.denial_key, u.owner, u.child_count, u.rr_types::smallint[]::published.rr_types, u.rrsets, u.next_key,
       u.denial_rrsig
  from unnest($1::integer[], $2::bytea[], $3::bytea[], $4::integer[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[])
       u(zone_id, denial_key, owner, child_count, rr_types, rrsets, next_key, denial_rrsig))"};

#define IDZONE_AT_ITS_ADDRESS " where n.ctid = u.address::tid and n.zone_id = u.zone_id and n.denial_key = u.denial_key"

constexpr Statement kUpdateNodes{"published_update_nodes", R"(
update published.node n
   set rr_types = u.rr_types::smallint[]::published.rr_types, rrsets = u.rrsets, child_count = u.child_count,
       next_key = u.next_key, denial_rrsig = u.denial_rrsig
  from unnest($1::integer[], $2::bytea[], $3::text[], $4::integer[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[])
       u(zone_id, denial_key, address, child_count, rr_types, rrsets, next_key, denial_rrsig))" IDZONE_AT_ITS_ADDRESS};

constexpr Statement kUpdateDenials{"published_update_denials", R"(
update published.node n set next_key = u.next_key, denial_rrsig = u.denial_rrsig
  from unnest($1::integer[], $2::bytea[], $3::text[], $4::bytea[], $5::bytea[])
       u(zone_id, denial_key, address, next_key, denial_rrsig))" IDZONE_AT_ITS_ADDRESS};

constexpr Statement kUpdateChildCounts{"published_update_child_counts", R"(
update published.node n set child_count = u.child_count
  from unnest($1::integer[], $2::bytea[], $3::text[], $4::integer[]) u(zone_id, denial_key, address, child_count))" IDZONE_AT_ITS_ADDRESS};

#undef IDZONE_AT_ITS_ADDRESS

constexpr Statement kDeleteNodes{"published_delete_nodes", R"(
delete from published.node n
 using unnest($1::integer[], $2::bytea[]) u(zone_id, denial_key)
 cross join lateral (
       select m.ctid as address from published.node m
        where m.zone_id = u.zone_id and m.denial_key = u.denial_key offset 0) f
 where n.ctid = f.address)"};

std::string TypesText(const std::vector<dns::RrSet>& rrsets) {
  std::string text = "{";
  for (const dns::RrSet& rrset : rrsets) text += (text.size() > 1 ? "," : "") + std::to_string(static_cast<std::uint16_t>(rrset.type));
  return text + "}";
}

/// Reads "{2,6,48}".
Result<std::vector<dns::RrType>> TypesOf(const pqxx::field& field) {
  std::vector<dns::RrType> types;
  const std::string_view text(field.c_str(), field.size());
  std::uint32_t code = 0;
  bool digits = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9' && code < 0x10000) {
      code = code * 10 + static_cast<std::uint32_t>(c - '0');
      digits = true;
      continue;
    }
    if (digits) {
      const auto type = code < 0x10000 ? dns::AllowedRrType(static_cast<std::uint16_t>(code)) : std::nullopt;
      if (!type) return Fail(Reason::kRecordTypeForbidden, "published.node.rr_types", "types of the allow-list", std::string(text));
      types.push_back(*type);
    }
    code = 0;
    digits = false;
  }
  return types;
}

Result<NodeRow> NodeOf(const pqxx::row& row) {
  NodeRow node;
  node.zone_id = NumberOf<std::int32_t>(row[0]);
  node.key = OctetsOf(row[1]);
  auto owner = dns::Name::FromWire(OctetsOf(row[2]), "published.node.owner");
  if (!owner) return tl::unexpected(owner.error());
  node.owner = std::move(*owner);
  node.child_count = NumberOf<std::int32_t>(row[3]);
  auto rrsets = zone::DecodeRrSets(OctetsOf(row[4]), node.owner);
  if (!rrsets) return tl::unexpected(rrsets.error());
  node.rrsets = std::move(*rrsets);
  node.denial.next = OctetsOf(row[5]);
  node.denial.rrsig = OctetsOf(row[6]);
  node.address = row[7].c_str();
  return node;
}

Result<std::vector<NodeRow>> NodesOf(const pqxx::result& rows) {
  std::vector<NodeRow> nodes;
  nodes.reserve(rows.size());
  for (const pqxx::row& row : rows) {
    auto node = NodeOf(row);
    if (!node) return tl::unexpected(node.error());
    nodes.push_back(std::move(*node));
  }
  return nodes;
}

Result<ChainRow> ChainRowOf(std::int32_t zone_id, const pqxx::field& key, const pqxx::field& types, const pqxx::field& next,
                            const pqxx::field& address) {
  auto read = TypesOf(types);
  if (!read) return tl::unexpected(read.error());
  return ChainRow{zone_id, OctetsOf(key), std::move(*read), OctetsOf(next), address.c_str()};
}

/// The columns of node rows, as arrays. Views point into the rows or into `texts` and `blobs`.
struct NodeColumns {
  explicit NodeColumns(const std::vector<const NodeRow*>& nodes) {
    for (const NodeRow* node : nodes) {
      zone_ids.push_back(node->zone_id);
      keys.push_back(node->key);
      owners.push_back(node->owner.wire());
      child_counts.push_back(node->child_count);
      nexts.push_back(node->denial.next);
      rrsigs.push_back(node->denial.rrsig);
      addresses.push_back(node->address);
      type_texts.push_back(TypesText(node->rrsets));
      rrsets.push_back(zone::EncodeRrSets(node->rrsets));
    }
  }
  std::vector<OctetsView> keys, owners, nexts, rrsigs, addresses;
  std::vector<std::int32_t> zone_ids, child_counts;
  std::vector<std::string> type_texts;
  std::vector<Octets> rrsets;
};

/// The columns of places.
struct PlaceColumns {
  explicit PlaceColumns(const std::vector<NodePlace>& places) {
    for (const NodePlace& place : places) {
      zone_ids.push_back(place.zone_id);
      keys.push_back(place.key);
    }
  }
  std::vector<std::int32_t> zone_ids;
  std::vector<OctetsView> keys;
};

bool Before(const ChainRow& left, const ChainRow& right) {
  return std::tie(left.zone_id, left.key) < std::tie(right.zone_id, right.key);
}

bool SameNode(const ChainRow& left, const ChainRow& right) {
  return left.zone_id == right.zone_id && left.key == right.key;
}

/// Puts links in order, each once.
void Sort(std::vector<ChainRow>& links) {
  std::sort(links.begin(), links.end(), Before);
  links.erase(std::unique(links.begin(), links.end(), SameNode), links.end());
}

/// Appends the last nodes of zones. The chain is a circle: before the first node stands the last one.
Result<void> AppendLast(Transaction& transaction, const std::set<std::int32_t>& zones, std::vector<ChainRow>& links) {
  if (zones.empty()) return {};
  for (const pqxx::row& row : Execute(transaction, kLoadLast, IntegerArray({zones.begin(), zones.end()}))) {
    auto link = ChainRowOf(NumberOf<std::int32_t>(row[0]), row[1], row[2], row[3], row[4]);
    if (!link) return tl::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return {};
}

/// Another transaction moved a row that this one has read: then it did not hold the zone's lock.
void CheckUpdated(const pqxx::result& result, std::size_t wanted) {
  if (result.affected_rows() != wanted) throw LostRace{};
}

}  // namespace

Result<std::vector<NodeRow>> LoadNodes(Transaction& transaction, const std::vector<NodePlace>& places) {
  if (places.empty()) return std::vector<NodeRow>();
  const PlaceColumns columns(places);
  return NodesOf(Execute(transaction, kLoadNodes, IntegerArray(columns.zone_ids), ByteaArray(columns.keys)));
}

Result<Surroundings> LoadSurroundings(Transaction& transaction, const std::vector<NodePlace>& places) {
  Surroundings found;
  if (places.empty()) return found;
  std::set<std::int32_t> at_beginning;
  const PlaceColumns columns(places);
  for (const pqxx::row& row : Execute(transaction, kLoadAround, IntegerArray(columns.zone_ids), ByteaArray(columns.keys))) {
    if (row[1].is_null()) {
      at_beginning.insert(NumberOf<std::int32_t>(row[0]));
    } else if (row[2].is_null()) {
      auto link = ChainRowOf(NumberOf<std::int32_t>(row[0]), row[1], row[8], row[5], row[7]);
      if (!link) return tl::unexpected(link.error());
      found.before.push_back(std::move(*link));
    } else {
      auto node = NodeOf(row);
      if (!node) return tl::unexpected(node.error());
      found.nodes.push_back(std::move(*node));
    }
  }
  if (auto appended = AppendLast(transaction, at_beginning, found.before); !appended) return tl::unexpected(appended.error());
  Sort(found.before);
  return found;
}

Result<std::vector<ChainRow>> LoadPredecessors(Transaction& transaction, const std::vector<NodePlace>& places) {
  std::vector<ChainRow> links;
  if (places.empty()) return links;
  std::set<std::int32_t> at_beginning;
  const PlaceColumns columns(places);
  for (const pqxx::row& row : Execute(transaction, kLoadPredecessors, IntegerArray(columns.zone_ids), ByteaArray(columns.keys))) {
    const auto zone_id = NumberOf<std::int32_t>(row[0]);
    if (row[1].is_null()) {
      at_beginning.insert(zone_id);
      continue;
    }
    auto link = ChainRowOf(zone_id, row[1], row[2], row[3], row[4]);
    if (!link) return tl::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  if (auto appended = AppendLast(transaction, at_beginning, links); !appended) return tl::unexpected(appended.error());
  Sort(links);
  return links;
}

Octets SweepPlaceOf(dns::DenialKind kind, const NodeRow& node) {
  return kind == dns::DenialKind::kNsec3 ? node.key : Sha256(node.owner.wire()).substr(0, dns::kNsec3HashOctets);
}

Result<std::vector<NodeRow>> LoadSweepRange(Transaction& transaction, std::int32_t zone_id, dns::DenialKind kind, const SweepRange& range) {
  const Statement& statement = kind == dns::DenialKind::kNsec3 ? kLoadHashRange : kLoadDigestRange;
  return NodesOf(Execute(transaction, statement, zone_id, Bytea(range.after), Bytea(range.through), range.limit));
}

void InsertNodes(Transaction& transaction, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  const NodeColumns columns(nodes);
  Execute(transaction, kInsertNodes, IntegerArray(columns.zone_ids), ByteaArray(columns.keys), ByteaArray(columns.owners),
          IntegerArray(columns.child_counts), TextArray(Views(columns.type_texts)), ByteaArray(Views(columns.rrsets)),
          ByteaArray(columns.nexts), ByteaArray(columns.rrsigs));
}

void UpdateNodes(Transaction& transaction, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  const NodeColumns columns(nodes);
  CheckUpdated(Execute(transaction, kUpdateNodes, IntegerArray(columns.zone_ids), ByteaArray(columns.keys), TextArray(columns.addresses),
                       IntegerArray(columns.child_counts), TextArray(Views(columns.type_texts)), ByteaArray(Views(columns.rrsets)),
                       ByteaArray(columns.nexts), ByteaArray(columns.rrsigs)),
               nodes.size());
}

void UpdateDenials(Transaction& transaction, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  std::vector<std::int32_t> zone_ids;
  std::vector<OctetsView> keys, addresses, nexts, rrsigs;
  for (const NodeRow* node : nodes) {
    zone_ids.push_back(node->zone_id);
    keys.push_back(node->key);
    addresses.push_back(node->address);
    nexts.push_back(node->denial.next);
    rrsigs.push_back(node->denial.rrsig);
  }
  CheckUpdated(Execute(transaction, kUpdateDenials, IntegerArray(zone_ids), ByteaArray(keys), TextArray(addresses), ByteaArray(nexts),
                       ByteaArray(rrsigs)),
               nodes.size());
}

void UpdateChildCounts(Transaction& transaction, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  std::vector<std::int32_t> zone_ids, counts;
  std::vector<OctetsView> keys, addresses;
  for (const NodeRow* node : nodes) {
    zone_ids.push_back(node->zone_id);
    keys.push_back(node->key);
    addresses.push_back(node->address);
    counts.push_back(node->child_count);
  }
  CheckUpdated(
      Execute(transaction, kUpdateChildCounts, IntegerArray(zone_ids), ByteaArray(keys), TextArray(addresses), IntegerArray(counts)),
      nodes.size());
}

void DeleteNodes(Transaction& transaction, const std::vector<NodePlace>& places) {
  if (places.empty()) return;
  const PlaceColumns columns(places);
  Execute(transaction, kDeleteNodes, IntegerArray(columns.zone_ids), ByteaArray(columns.keys));
}

}  // namespace idzone::store
