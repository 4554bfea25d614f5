// SPDX-License-Identifier: MIT
#include "services/store/registry_edge.h"

#include "services/store/database.h"
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

using Transaction = pqxx::transaction_base;

constexpr Statement kInsert{"edge_insert",
                            "insert into registry.edge (edge_id, fingerprint) values ($1::text, $2::bytea) on conflict do nothing"};
constexpr Statement kDelete{"edge_delete", "delete from registry.edge where edge_id = $1::text"};
constexpr Statement kFind{
    "edge_find", "select edge_id, fingerprint, extract(epoch from created_at)::bigint from registry.edge where edge_id = $1::text"};
constexpr Statement kList{"edge_list",
                          "select edge_id, fingerprint, extract(epoch from created_at)::bigint"
                          " from registry.edge where edge_id > $1::text order by edge_id limit $2::bigint"};
constexpr Statement kPositions{
    "edge_positions",
    "select p.edge_id, z.name_text, p.epoch, p.serial, z.epoch, z.serial, extract(epoch from p.reported_at)::bigint"
    " from published.edge_position p join published.zone z on z.zone_id = p.zone_id"
    " where p.edge_id = any($1::text[]) order by p.edge_id, z.name_text"};

EdgeRecord Read(const pqxx::row& row) {
  return {row[0].as<std::string>(), OctetsOf(row[1]), TimeOf(row[2]), {}};
}

/// Adds where the edges stand. Requires: ascending by id.
void AddPositions(Transaction& transaction, std::vector<EdgeRecord>& edges) {
  std::vector<std::string_view> ids;
  for (const EdgeRecord& edge : edges) ids.push_back(edge.edge_id);
  auto edge = edges.begin();
  for (const pqxx::row& row : Execute(transaction, kPositions, TextArray(ids))) {
    EdgePositionRecord position{.edge_id = row[0].as<std::string>(), .zone = row[1].as<std::string>()};
    position.epoch = row[2].as<std::uint32_t>();
    position.serial = row[3].as<std::uint32_t>();
    position.published_epoch = row[4].as<std::uint32_t>();
    position.published_serial = row[5].as<std::uint32_t>();
    position.reported_at = TimeOf(row[6]);
    while (edge != edges.end() && edge->edge_id != position.edge_id) ++edge;
    if (edge == edges.end()) break;
    edge->positions.push_back(std::move(position));
  }
}

tl::unexpected<Error> NotFound(const std::string& edge_id) {
  return Fail(Reason::kNotFound, "edge", "a registered edge", edge_id);
}

Result<EdgeRecord> FindIn(Transaction& transaction, const std::string& edge_id) {
  const pqxx::result found = Execute(transaction, kFind, edge_id);
  if (found.empty()) return NotFound(edge_id);
  std::vector<EdgeRecord> edges{Read(found.front())};
  AddPositions(transaction, edges);
  return std::move(edges.front());
}

}  // namespace

Result<EdgeRecord> RegisterEdge(Database& database, const Actor& actor, const std::string& edge_id, OctetsView fingerprint) {
  return database.Transact("register edge", [&](Transaction& transaction) -> Result<EdgeRecord> {
    const bool inserted = Execute(transaction, kInsert, edge_id, Bytea(fingerprint)).affected_rows() == 1;
    auto edge = FindIn(transaction, edge_id);
    if (!edge) return Fail(Reason::kAlreadyExists, "certificate", "a key that no other edge has", "SHA-256 " + HexEncode(fingerprint));
    if (edge->fingerprint != fingerprint)
      return Fail(Reason::kAlreadyExists, "edge " + edge_id, "its key, SHA-256 " + HexEncode(edge->fingerprint), HexEncode(fingerprint));
    if (inserted)
      WriteEvent(transaction, actor,
                 {.kind = "edge.registered", .detail = JsonObject({{"edge", edge_id}, {"fingerprint", HexEncode(fingerprint)}})});
    return edge;
  });
}

Result<EdgeRecord> RemoveEdge(Database& database, const Actor& actor, const std::string& edge_id) {
  return database.Transact("remove edge", [&](Transaction& transaction) -> Result<EdgeRecord> {
    auto edge = FindIn(transaction, edge_id);
    if (!edge) return edge;
    // Somebody else may have been faster.
    if (Execute(transaction, kDelete, edge_id).affected_rows() == 0) return NotFound(edge_id);
    WriteEvent(transaction, actor,
               {.kind = "edge.removed", .detail = JsonObject({{"edge", edge_id}, {"fingerprint", HexEncode(edge->fingerprint)}})});
    return edge;
  });
}

Result<EdgeRecord> FindEdge(Database& database, const std::string& edge_id) {
  return database.Transact("find edge", [&](Transaction& transaction) { return FindIn(transaction, edge_id); });
}

Result<std::vector<EdgeRecord>> ListEdges(Database& database, const PageOf& page) {
  return database.Transact("list edges", [&](Transaction& transaction) -> Result<std::vector<EdgeRecord>> {
    std::vector<EdgeRecord> edges;
    for (const pqxx::row& row : Execute(transaction, kList, page.after, page.limit)) edges.push_back(Read(row));
    AddPositions(transaction, edges);
    return edges;
  });
}

}  // namespace idzone::store
