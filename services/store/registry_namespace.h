// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/store/registry_record.h"

namespace pqxx {
class transaction_base;
}

namespace idzone::store {

class Database;

/// For the registry's own .cc files: within a transaction. NOT_FOUND.
Result<NamespaceRecord> FindNamespaceIn(pqxx::transaction_base& transaction, const dns::Name& name);

/// Creates a namespace (`namespace_id`, `created_at` and `zone_exists` are ignored), or returns the one that exists with
/// the same values; ALREADY_EXISTS with the field that differs. NOT_FOUND when there is no such operator.
Result<NamespaceRecord> CreateNamespace(Database& database, const Actor& actor, const NamespaceRecord& wanted);
/// NOT_FOUND.
Result<NamespaceRecord> FindNamespace(Database& database, const dns::Name& name);
/// Ascending by name as text; only those of an operator unless `operator_id` is empty. `page.after` is a name.
Result<std::vector<NamespaceRecord>> ListNamespaces(Database& database, const std::string& operator_id, const PageOf& page);

}  // namespace idzone::store
