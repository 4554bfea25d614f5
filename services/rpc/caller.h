// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "services/core/base/octets.h"

/// Who calls: found by the key of the client's certificate, so that renewing the certificate changes nothing.
namespace idzone::rpc {

/// The numbers 1 to 4 are those of registry.principal; an edge is not a principal. At most 7: RoleSet.
enum class Role : std::uint8_t { kAdmin = 1, kEnroller = 2, kAuditor = 3, kReEnroller = 4, kEdge = 7 };

/// Returns "admin", "enroller", "auditor", "re-enroller" or "edge".
std::string_view RoleName(Role role);

struct Caller {
  Octets fingerprint;  // SHA-256 of the SPKI
  Role role = Role::kAuditor;
  std::string operator_id;         // of a principal
  std::string edge_id;             // of an edge
  std::int64_t registered_at = 0;  // of an edge: it tells two of the same id and key apart
  std::string request_id;          // the client's `x-request-id`, or one made here; for the log

  /// Returns the operator or edge id, for the log.
  const std::string& name() const { return role == Role::kEdge ? edge_id : operator_id; }
};

/// Where callers are registered. Threads: any.
class CallerDirectory {
 public:
  virtual ~CallerDirectory() = default;
  /// Returns the caller with that key: PRINCIPAL_UNKNOWN, PRINCIPAL_DISABLED, or UNAVAILABLE when it cannot be asked.
  virtual Result<Caller> Find(OctetsView fingerprint) = 0;
};

}  // namespace idzone::rpc
