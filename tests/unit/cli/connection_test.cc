// SPDX-License-Identifier: MIT
#include "cli/connection.h"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

std::filesystem::path File(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(testing::TempDir()) / ("connection_test_" + name);
  std::ofstream(file) << text;
  return file;
}

const ConnectionOptions kWhole = {.server = "a:1", .tls_certificate = "c", .tls_key = "k", .tls_ca = "ca"};

TEST(ConnectionTest, TakesOptionsBeforeVariablesBeforeTheFile) {
  const auto file = File("order", "server = \"file:1\"\ntls_certificate = \"/f/c\"\ntls_key = \"/f/k\"\ntls_ca = \"/f/ca\"\n");
  const Environment environment = Variables({{"IDZONE_SERVER", "variable:1"}, {"IDZONE_TLS_KEY", "/v/k"}});

  const auto options =
      CompleteConnection({.server = "option:1", .tls_certificate = {}, .tls_key = {}, .tls_ca = {}}, environment, file).value();

  EXPECT_EQ(options.server, "option:1");
  EXPECT_EQ(options.tls_key, "/v/k");
  EXPECT_EQ(options.tls_certificate, "/f/c");
}

TEST(ConnectionTest, FilesInTheFileStartAtItsFolder) {
  const auto file = File("relative", "tls_certificate = \"me.pem\"\n");

  const auto options =
      CompleteConnection({.server = "s", .tls_certificate = {}, .tls_key = "k", .tls_ca = "ca"}, Variables({}), file).value();

  EXPECT_EQ(options.tls_certificate, (file.parent_path() / "me.pem").string());
}

TEST(ConnectionTest, SaysWhereAMissingValueCouldBeGiven) {
  const Error error = CompleteConnection({}, Variables({}), "/nowhere/cli.toml").error();

  EXPECT_EQ(error.reason, Reason::kValueMissing);
  EXPECT_EQ(error.subject, "--server");
  EXPECT_NE(error.expected.find("IDZONE_SERVER"), std::string::npos);
  EXPECT_NE(error.expected.find("/nowhere/cli.toml"), std::string::npos);
}

TEST(ConnectionTest, RefusesUnknownKeysAndTypesAndGarbage) {
  EXPECT_EQ(CompleteConnection(kWhole, Variables({}), File("unknown", "servr = \"x\"\n")).error().reason, Reason::kUnknownField);
  EXPECT_EQ(CompleteConnection(kWhole, Variables({}), File("type", "server = 7\n")).error().reason, Reason::kValueMalformed);
  EXPECT_EQ(CompleteConnection(kWhole, Variables({}), File("garbage", "server = = \n")).error().reason, Reason::kValueMalformed);
}

TEST(ConnectionTest, FindsTheFileByXdgThenHome) {
  EXPECT_EQ(ConnectionFile(Variables({{"XDG_CONFIG_HOME", "/x"}, {"HOME", "/h"}})), "/x/idzone/cli.toml");
  EXPECT_EQ(ConnectionFile(Variables({{"HOME", "/h"}})), "/h/.config/idzone/cli.toml");
  EXPECT_TRUE(ConnectionFile(Variables({})).empty());
}

}  // namespace
}  // namespace idzone::cli
