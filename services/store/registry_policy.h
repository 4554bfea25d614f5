// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/zone/policy.h"
#include "services/store/registry_record.h"

/// Policies: the built-in three, and those that operators made. None is ever changed.
namespace idzone::store {

class Database;

struct PolicyRecord {
  zone::ZonePolicy policy;
  bool built_in = false;
  UnixTime created_at{};
};

/// Creates a policy, or returns the one that exists; ALREADY_EXISTS when it says something else.
Result<PolicyRecord> CreatePolicy(Database& database, const Actor& actor, const zone::ZonePolicy& policy);
/// NOT_FOUND.
Result<PolicyRecord> FindPolicy(Database& database, const std::string& name);
/// Ascending by name; `page.after` is a name.
Result<std::vector<PolicyRecord>> ListPolicies(Database& database, const PageOf& page);

}  // namespace idzone::store
