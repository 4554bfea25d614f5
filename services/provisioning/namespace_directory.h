// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "services/rpc/caller.h"
#include "services/store/registry_record.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// Finds namespaces and holds the tenants apart: whoever works in a namespace gets it from here. A namespace's rules
/// never change, so they are remembered; `zone_exists` of what this returns is not to be used.
class NamespaceDirectory {
 public:
  using Home = std::shared_ptr<const store::NamespaceRecord>;

  explicit NamespaceDirectory(store::Database& database) : database_(database) {}

  /// Returns the namespace of that name (field `subject` of the request) when the caller may work in it: its
  /// operator's principals and admins. NAME_MALFORMED, NOT_FOUND, NAMESPACE_FOREIGN.
  Result<Home> Find(const rpc::Caller& caller, const std::string& name, const char* subject);

 private:
  Result<Home> Load(const std::string& name, const char* subject);

  store::Database& database_;
  std::mutex mutex_;
  std::map<std::string, Home> homes_;  // by the text that callers use
};

/// Says whether a caller may see what belongs to an operator. NAMESPACE_FOREIGN.
Result<void> CheckTenant(const rpc::Caller& caller, const std::string& operator_id, const std::string& object);

}  // namespace idzone::provisioning
