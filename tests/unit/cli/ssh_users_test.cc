// SPDX-License-Identifier: MIT
#include "cli/ssh_users.h"

#include <fstream>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

constexpr char kUsers[] =
    "# who may log in\n"
    "ada  k3.1f._user.acme.example   # her laptop\n"
    "bob\tb2.0a._user.acme.example. b3.0b._user.acme.example\r\n"
    "\n"
    "eve  not..a.name\n"
    "ada  tablet._user.acme.example\n";

std::vector<std::string> Names(std::string_view user) {
  const auto parsed = ParseSshUser(kUsers, user, "users").value();
  std::vector<std::string> names;
  for (const dns::Name& name : parsed) names.push_back(name.Format());
  return names;
}

TEST(SshUsersTest, AddsUpAUsersLines) {
  EXPECT_EQ(Names("ada"), (std::vector<std::string>{"k3.1f._user.acme.example.", "tablet._user.acme.example."}));
  EXPECT_EQ(Names("bob"), (std::vector<std::string>{"b2.0a._user.acme.example.", "b3.0b._user.acme.example."}));
}

TEST(SshUsersTest, UsersAreComparedWhole) {
  for (const char* user : {"ad", "adaa", "Ada", "#", "", "k3.1f._user.acme.example", "ada  k3"}) EXPECT_TRUE(Names(user).empty()) << user;
}

TEST(SshUsersTest, AMistakeStopsOnlyItsOwnUser) {
  const auto names = ParseSshUser(kUsers, "eve", "users");

  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().subject, "users:5");
}

TEST(SshUsersTest, AUserHasAtMostEightNames) {
  std::string text = "ada";
  for (int number = 0; number < 9; ++number) text += " n" + std::to_string(number) + ".example";

  EXPECT_EQ(ParseSshUser(text, "ada", "users").error().reason, Reason::kLimitExceeded);
  EXPECT_EQ(ParseSshUser(text.substr(0, text.rfind(' ')), "ada", "users").value().size(), kSshUserNamesMax);
}

TEST(SshUsersTest, OnlyRootMayOwnAndWriteIt) {
  EXPECT_TRUE(CheckRootAlone("f", 0, 0644));
  EXPECT_TRUE(CheckRootAlone("f", 0, 0755));
  for (const unsigned mode : {0664u, 0646u, 0777u, 01777u}) EXPECT_FALSE(CheckRootAlone("f", 0, mode)) << mode;
  EXPECT_FALSE(CheckRootAlone("f", 1000, 0644));
}

TEST(SshUsersTest, AFileInAFolderThatOthersWriteIsRefused) {
  // Whoever runs this: the folder of temporary files can be written by everybody, or belongs to somebody else than root.
  const std::filesystem::path file = std::filesystem::path("/tmp") / "ssh_users_test";
  std::ofstream(file) << kUsers;
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  EXPECT_EQ(ReadSshUser(file, "ada").error().reason, Reason::kValueMalformed);
  std::filesystem::remove(file);
}

TEST(SshUsersTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(ReadSshUser("/nowhere", "ada").error().reason, Reason::kNotFound);
  EXPECT_EQ(ReadSshUser("/dev/null", "ada").error().reason, Reason::kNotFound);
  EXPECT_EQ(ReadSshUser("/usr", "ada").error().reason, Reason::kNotFound);
}

}  // namespace
}  // namespace idzone::cli
