// SPDX-License-Identifier: MIT
#include <algorithm>

#include "services/core/base/error.h"
#include "services/store/encoding.h"
#include "services/store/published_store.h"

namespace idzone::store {
namespace {

#define IDZONE_NODE_COLUMNS "n.denial_key, n.owner, n.child_count, n.rrsets, n.next_key, n.denial_rrsig"

// Shapes of plans. A join of unnest() with the nodes, and `= any(array)` too, leave the planner the choice to walk through
// the whole zone and look for each node in the array, which it takes on a zone without statistics. These statements leave
// no choice: `offset 0` keeps a lateral look-up where it stands, and a row that was found by its key is changed by its
// address, which cannot move under the zone's row lock.
constexpr Statement kLoadNodes{"published_load_nodes", R"(
select f.* from unnest($2::bytea[]) u(denial_key)
 cross join lateral (
       select )" IDZONE_NODE_COLUMNS R"( from published.node n
        where n.zone_id = $1::integer and n.denial_key = u.denial_key offset 0) f)"};

// One backward step in the primary key for each key. A key before the first node gets no row.
constexpr Statement kLoadPredecessors{"published_load_predecessors", R"(
select p.denial_key, p.rr_types, p.next_key
  from unnest($2::bytea[]) u(denial_key)
 cross join lateral (
       select n.denial_key, n.rr_types, n.next_key from published.node n
        where n.zone_id = $1::integer and n.denial_key < u.denial_key order by n.denial_key desc limit 1) p)"};

constexpr Statement kLoadLast{"published_load_last", R"(
select n.denial_key, n.rr_types, n.next_key from published.node n
 where n.zone_id = $1::integer order by n.denial_key desc limit 1)"};

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
select $1::integer, u.denial_key, u.owner, u.child_count, u.rr_types::smallint[]::published.rr_types, u.rrsets, u.next_key,
       u.denial_rrsig
  from unnest($2::bytea[], $3::bytea[], $4::integer[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[])
       u(denial_key, owner, child_count, rr_types, rrsets, next_key, denial_rrsig))"};

constexpr Statement kUpdateNodes{"published_update_nodes", R"(
update published.node n
   set rr_types = u.rr_types::smallint[]::published.rr_types, rrsets = u.rrsets, child_count = u.child_count,
       next_key = u.next_key, denial_rrsig = u.denial_rrsig
  from unnest($2::bytea[], $3::integer[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])
       u(denial_key, child_count, rr_types, rrsets, next_key, denial_rrsig)
 cross join lateral (
       select m.ctid as address from published.node m
        where m.zone_id = $1::integer and m.denial_key = u.denial_key offset 0) f
 where n.ctid = f.address)"};

constexpr Statement kUpdateDenials{"published_update_denials", R"(
update published.node n set next_key = u.next_key, denial_rrsig = u.denial_rrsig
  from unnest($2::bytea[], $3::bytea[], $4::bytea[]) u(denial_key, next_key, denial_rrsig)
 cross join lateral (
       select m.ctid as address from published.node m
        where m.zone_id = $1::integer and m.denial_key = u.denial_key offset 0) f
 where n.ctid = f.address)"};

constexpr Statement kUpdateChildCounts{"published_update_child_counts", R"(
update published.node n set child_count = u.child_count
  from unnest($2::bytea[], $3::integer[]) u(denial_key, child_count)
 cross join lateral (
       select m.ctid as address from published.node m
        where m.zone_id = $1::integer and m.denial_key = u.denial_key offset 0) f
 where n.ctid = f.address)"};

constexpr Statement kDeleteNodes{"published_delete_nodes", R"(
delete from published.node n
 using unnest($2::bytea[]) u(denial_key)
 cross join lateral (
       select m.ctid as address from published.node m
        where m.zone_id = $1::integer and m.denial_key = u.denial_key offset 0) f
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
  node.key = OctetsOf(row[0]);
  auto owner = dns::Name::FromWire(OctetsOf(row[1]), "published.node.owner");
  if (!owner) return tl::unexpected(owner.error());
  node.owner = std::move(*owner);
  node.child_count = NumberOf<std::int32_t>(row[2]);
  auto rrsets = zone::DecodeRrSets(OctetsOf(row[3]), node.owner);
  if (!rrsets) return tl::unexpected(rrsets.error());
  node.rrsets = std::move(*rrsets);
  node.denial.next = OctetsOf(row[4]);
  node.denial.rrsig = OctetsOf(row[5]);
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

/// The columns of node rows, as arrays. Views point into the rows or into `texts` and `blobs`.
struct NodeColumns {
  explicit NodeColumns(const std::vector<const NodeRow*>& nodes) {
    for (const NodeRow* node : nodes) {
      keys.push_back(node->key);
      owners.push_back(node->owner.wire());
      child_counts.push_back(node->child_count);
      nexts.push_back(node->denial.next);
      rrsigs.push_back(node->denial.rrsig);
      type_texts.push_back(TypesText(node->rrsets));
      rrsets.push_back(zone::EncodeRrSets(node->rrsets));
    }
  }
  std::vector<OctetsView> keys, owners, nexts, rrsigs;
  std::vector<std::int32_t> child_counts;
  std::vector<std::string> type_texts;
  std::vector<Octets> rrsets;
};

}  // namespace

Result<std::vector<NodeRow>> LoadNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys) {
  if (keys.empty()) return std::vector<NodeRow>();
  return NodesOf(Execute(transaction, kLoadNodes, zone_id, ByteaArray(Views(keys))));
}

Result<std::vector<ChainRow>> LoadPredecessors(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys) {
  std::vector<ChainRow> links;
  if (keys.empty()) return links;
  const auto append = [&](const pqxx::result& rows) -> Result<void> {
    for (const pqxx::row& row : rows) {
      auto types = TypesOf(row[1]);
      if (!types) return tl::unexpected(types.error());
      links.push_back({OctetsOf(row[0]), std::move(*types), OctetsOf(row[2])});
    }
    return {};
  };
  const pqxx::result before = Execute(transaction, kLoadPredecessors, zone_id, ByteaArray(Views(keys)));
  if (auto appended = append(before); !appended) return tl::unexpected(appended.error());
  // The chain is a circle: before the first node stands the last one.
  if (before.size() < keys.size()) {
    if (auto appended = append(Execute(transaction, kLoadLast, zone_id)); !appended) return tl::unexpected(appended.error());
  }
  std::sort(links.begin(), links.end(), [](const ChainRow& left, const ChainRow& right) { return left.key < right.key; });
  links.erase(std::unique(links.begin(), links.end(), [](const ChainRow& left, const ChainRow& right) { return left.key == right.key; }),
              links.end());
  return links;
}

Octets SweepPlaceOf(dns::DenialKind kind, const NodeRow& node) {
  return kind == dns::DenialKind::kNsec3 ? node.key : Sha256(node.owner.wire()).substr(0, dns::kNsec3HashOctets);
}

Result<std::vector<NodeRow>> LoadSweepRange(Transaction& transaction, std::int32_t zone_id, dns::DenialKind kind, const SweepRange& range) {
  const Statement& statement = kind == dns::DenialKind::kNsec3 ? kLoadHashRange : kLoadDigestRange;
  return NodesOf(Execute(transaction, statement, zone_id, Bytea(range.after), Bytea(range.through), range.limit));
}

void InsertNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  const NodeColumns columns(nodes);
  Execute(transaction, kInsertNodes, zone_id, ByteaArray(columns.keys), ByteaArray(columns.owners), IntegerArray(columns.child_counts),
          TextArray(Views(columns.type_texts)), ByteaArray(Views(columns.rrsets)), ByteaArray(columns.nexts), ByteaArray(columns.rrsigs));
}

void UpdateNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  const NodeColumns columns(nodes);
  Execute(transaction, kUpdateNodes, zone_id, ByteaArray(columns.keys), IntegerArray(columns.child_counts),
          TextArray(Views(columns.type_texts)), ByteaArray(Views(columns.rrsets)), ByteaArray(columns.nexts), ByteaArray(columns.rrsigs));
}

void UpdateDenials(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  std::vector<OctetsView> keys, nexts, rrsigs;
  for (const NodeRow* node : nodes) {
    keys.push_back(node->key);
    nexts.push_back(node->denial.next);
    rrsigs.push_back(node->denial.rrsig);
  }
  Execute(transaction, kUpdateDenials, zone_id, ByteaArray(keys), ByteaArray(nexts), ByteaArray(rrsigs));
}

void UpdateChildCounts(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes) {
  if (nodes.empty()) return;
  std::vector<OctetsView> keys;
  std::vector<std::int32_t> counts;
  for (const NodeRow* node : nodes) {
    keys.push_back(node->key);
    counts.push_back(node->child_count);
  }
  Execute(transaction, kUpdateChildCounts, zone_id, ByteaArray(keys), IntegerArray(counts));
}

void DeleteNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys) {
  if (keys.empty()) return;
  Execute(transaction, kDeleteNodes, zone_id, ByteaArray(Views(keys)));
}

}  // namespace idzone::store
