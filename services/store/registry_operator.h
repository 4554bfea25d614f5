// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/store/registry_record.h"

/// Operators and their principals.
namespace idzone::store {

class Database;

/// Creates an operator, or returns the one that exists; ALREADY_EXISTS when it has another display name.
Result<OperatorRecord> CreateOperator(Database& database, const Actor& actor, const std::string& operator_id,
                                      const std::string& display_name);
/// Ascending by id.
Result<std::vector<OperatorRecord>> ListOperators(Database& database, const PageOf& page);

struct NewPrincipal {
  Octets fingerprint;
  std::string operator_id;
  std::string display_name;
  int role = 0;
};
/// Creates a principal, or returns the one that exists; ALREADY_EXISTS when the key has another operator or role (a
/// disabled principal stays disabled: it is returned as such), NOT_FOUND when there is no such operator.
Result<PrincipalRecord> CreatePrincipal(Database& database, const Actor& actor, const NewPrincipal& principal);
/// Returns the principal with that key. NOT_FOUND.
Result<PrincipalRecord> FindPrincipal(Database& database, OctetsView fingerprint);
/// Ascending by fingerprint; `page.after` is a fingerprint.
Result<std::vector<PrincipalRecord>> ListPrincipals(Database& database, const PageOf& page);
/// Ends its rights, for ever. NOT_FOUND.
Result<PrincipalRecord> DisablePrincipal(Database& database, const Actor& actor, OctetsView fingerprint);

}  // namespace idzone::store
