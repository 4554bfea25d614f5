// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "services/rpc/caller.h"

/// Who may call what: one row a method, nothing by default. Reviewing privilege is reading these rows; a test compares
/// them with the "Caller:" lines of the protos.
namespace idzone::rpc {

class RoleSet {
 public:
  RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ = static_cast<std::uint8_t>(bits_ | 1u << static_cast<unsigned>(role));
  }
  bool Has(Role role) const { return (bits_ >> static_cast<unsigned>(role) & 1u) != 0; }
  /// Returns "admin or enroller".
  std::string Format() const;

 private:
  std::uint8_t bits_ = 0;
};

struct AccessRow {
  std::string_view method;  // "/idzone.v1.ZoneService/GetZone"
  RoleSet roles;
  bool changes = false;  // the call changes the registry: it is logged at level info when it succeeds, others at debug
};

class AccessTable {
 public:
  explicit AccessTable(std::vector<AccessRow> rows);
  /// Returns the row of a method; null when it has none, and then nobody may call it.
  const AccessRow* Find(std::string_view method) const;
  const std::vector<AccessRow>& rows() const { return rows_; }

 private:
  std::vector<AccessRow> rows_;  // ascending by method
};

}  // namespace idzone::rpc
