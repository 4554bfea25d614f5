// SPDX-License-Identifier: MIT
#include "services/rpc/access_table.h"

#include <algorithm>

namespace idzone::rpc {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kEnroller: return "enroller";
    case Role::kAuditor: return "auditor";
    case Role::kReEnroller: return "re-enroller";
    case Role::kEdge: return "edge";
  }
  InvariantBroken("a role is one of the five", __FILE__, __LINE__);
}

std::string RoleSet::Format() const {
  std::string text;
  for (const Role role : {Role::kAdmin, Role::kEnroller, Role::kAuditor, Role::kReEnroller, Role::kEdge}) {
    if (Has(role)) text += (text.empty() ? "" : " or ") + std::string(RoleName(role));
  }
  return text;
}

AccessTable::AccessTable(std::vector<AccessRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(), [](const AccessRow& left, const AccessRow& right) { return left.method < right.method; });
}

const AccessRow* AccessTable::Find(std::string_view method) const {
  const auto found =
      std::lower_bound(rows_.begin(), rows_.end(), method, [](const AccessRow& row, std::string_view name) { return row.method < name; });
  return found == rows_.end() || found->method != method ? nullptr : &*found;
}

}  // namespace idzone::rpc
