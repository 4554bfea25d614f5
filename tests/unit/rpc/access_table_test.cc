// SPDX-License-Identifier: MIT
#include "services/rpc/access_table.h"

#include <gtest/gtest.h>

namespace idzone::rpc {
namespace {

const AccessTable kTable({{"/a.B/Write", {Role::kEnroller}, true}, {"/a.B/Read", {Role::kAdmin, Role::kAuditor}, false}});

TEST(AccessTableTest, FindsTheRowOfAMethod) {
  const AccessRow* row = kTable.Find("/a.B/Write");

  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->roles.Has(Role::kEnroller));
  EXPECT_FALSE(row->roles.Has(Role::kAdmin));
  EXPECT_TRUE(row->changes);
}

TEST(AccessTableTest, HasNothingForAMethodWithoutARow) {
  EXPECT_EQ(kTable.Find("/a.B/Delete"), nullptr);
  EXPECT_EQ(kTable.Find(""), nullptr);
  EXPECT_EQ(kTable.Find("/a.B/Rea"), nullptr);
}

TEST(RoleSetTest, NamesItsRolesForRefusals) {
  EXPECT_EQ(RoleSet({Role::kAuditor, Role::kAdmin}).Format(), "admin or auditor");
  EXPECT_EQ(RoleSet({Role::kEdge}).Format(), "edge");
}

}  // namespace
}  // namespace idzone::rpc
