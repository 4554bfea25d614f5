// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/store/registry_record.h"

/// DNS hosts.
namespace idzone::store {

class Database;

/// Registers an edge, or returns the one that exists; ALREADY_EXISTS when the id has another key or the key another id.
Result<EdgeRecord> RegisterEdge(Database& database, const Actor& actor, const std::string& edge_id, OctetsView fingerprint);
/// Removes an edge, with all that is known of where it and its foreign secondaries stand, and returns what it was. NOT_FOUND.
Result<EdgeRecord> RemoveEdge(Database& database, const Actor& actor, const std::string& edge_id);
/// NOT_FOUND.
Result<EdgeRecord> FindEdge(Database& database, const std::string& edge_id);
/// Ascending by id; `page.after` is an id.
Result<std::vector<EdgeRecord>> ListEdges(Database& database, const PageOf& page);

}  // namespace idzone::store
