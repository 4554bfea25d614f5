// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/core/zone/cut.h"
#include "services/store/registry_record.h"

namespace pqxx {
class transaction_base;
}

/// The zone cuts of enum namespaces, from the command to the day they are open. Those of trees need no command and have no rows.
///
///   preparing ── the signer publishes delegation and zone ──→ delegated ── every registered edge has them ──→ open
///
/// Open is for ever: an edge that is registered later serves nothing of the namespace before it has all of it.
namespace idzone::store {

class Database;

/// The numbers are sent on the wire.
enum class CutState { kPreparing = 1, kDelegated = 2, kOpen = 3 };

struct CutRecord {
  std::int32_t number = 0;
  std::string prefix;
  std::string zone;
  CutState state = CutState::kPreparing;
  UnixTime requested_at{};
  std::vector<std::string> edges_behind{};
};

/// Asks for a cut, or returns the one of that prefix. ALREADY_EXISTS when there are identities, revoked ones too, or a longer cut,
/// below it: the parent never has names that would have to move. LIMIT_EXCEEDED. NOT_FOUND.
Result<CutRecord> AddCut(Database& database, const Actor& actor, const NamespaceRecord& home, const zone::CutPrefix& prefix);

/// Ascending by number; `page.after` is a number, or empty.
Result<std::vector<CutRecord>> ListCuts(Database& database, std::int32_t namespace_id, const PageOf& page);

/// For enrollments: returns the prefixes below which nobody may be enrolled now, with their namespaces. Until the transaction ends
/// no cut is added to these namespaces. Requires: enum namespaces.
std::vector<std::pair<std::int32_t, std::string>> ClosedCutsIn(pqxx::transaction_base& transaction,
                                                               const std::vector<std::int32_t>& namespace_ids);

}  // namespace idzone::store
