// SPDX-License-Identifier: MIT
#include "services/process/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace idzone::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPrefix = "IDZONE_CONFIGTEST_";

std::vector<ConfigKey> Keys() {
  return {RequiredText("database.url", "libpq URL"), OptionalInteger("signing.threads", 2, 1, 64, "signing threads"),
          OptionalBoolean("signing.enabled", true, "whether to sign"), OptionalTextList("feed.peers", {}, "peers")};
}

class ConfigTest : public ::testing::Test {
 protected:
  ~ConfigTest() override {
    std::filesystem::remove(file_);
    for (const std::string& variable : variables_) unsetenv(variable.c_str());
  }

  Result<Config> LoadText(const std::string& text) {
    std::ofstream(file_) << text;
    return Config::Load(file_, Keys(), kPrefix);
  }

  void SetVariable(const std::string& name, const std::string& value) {
    variables_.push_back(std::string(kPrefix) + name);
    setenv(variables_.back().c_str(), value.c_str(), 1);
  }

  std::filesystem::path file_ = std::filesystem::temp_directory_path() / ("idzone_config_test_" + std::to_string(getpid()) + ".toml");
  std::vector<std::string> variables_;
};

TEST_F(ConfigTest, ReadsFileAndDefaults) {
  const auto config = LoadText("[database]\nurl = \"postgresql:///x\"\n[feed]\npeers = [\"a\", \"b\"]\n");

  ASSERT_TRUE(config) << config.error().Detail();
  EXPECT_EQ(config->Text("database.url"), "postgresql:///x");
  EXPECT_EQ(config->Integer("signing.threads"), 2);
  EXPECT_TRUE(config->Boolean("signing.enabled"));
  EXPECT_THAT(config->TextList("feed.peers"), ElementsAre("a", "b"));
}

TEST_F(ConfigTest, EnvironmentOverridesFile) {
  SetVariable("DATABASE_URL", "postgresql:///other");
  SetVariable("SIGNING_THREADS", "7");
  SetVariable("SIGNING_ENABLED", "false");
  SetVariable("FEED_PEERS", "x,y");

  const auto config = LoadText("[database]\nurl = \"postgresql:///x\"\n");

  ASSERT_TRUE(config) << config.error().Detail();
  EXPECT_EQ(config->Text("database.url"), "postgresql:///other");
  EXPECT_EQ(config->Integer("signing.threads"), 7);
  EXPECT_FALSE(config->Boolean("signing.enabled"));
  EXPECT_THAT(config->TextList("feed.peers"), ElementsAre("x", "y"));
}

TEST_F(ConfigTest, EnvironmentSuppliesRequiredKey) {
  SetVariable("DATABASE_URL", "postgresql:///only");

  EXPECT_TRUE(LoadText(""));
}

TEST_F(ConfigTest, UnknownKeyIsRefusedWithItsLineAndTheKnownOnes) {
  const auto config = LoadText("[database]\nurl = \"x\"\n[signing]\nthread = 2\n");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().reason, Reason::kUnknownField);
  EXPECT_THAT(config.error().subject, HasSubstr(":4"));
  EXPECT_THAT(config.error().expected, HasSubstr("signing.threads"));
  EXPECT_EQ(config.error().met, "signing.thread");
}

TEST_F(ConfigTest, UnknownSectionAndTopLevelKeyAreRefused) {
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n[other]\na = 1\n").error().reason, Reason::kUnknownField);
  EXPECT_EQ(LoadText("url = \"x\"\n").error().reason, Reason::kUnknownField);
}

TEST_F(ConfigTest, UnknownVariableIsRefused) {
  SetVariable("DATABASE_URI", "x");

  const auto config = LoadText("[database]\nurl = \"x\"\n");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().reason, Reason::kUnknownField);
  EXPECT_EQ(config.error().subject, "IDZONE_CONFIGTEST_DATABASE_URI");
}

TEST_F(ConfigTest, WrongTypesAreRefused) {
  EXPECT_EQ(LoadText("[database]\nurl = 5\n").error().reason, Reason::kValueMalformed);
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n[signing]\nthreads = \"two\"\n").error().reason, Reason::kValueMalformed);
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n[feed]\npeers = [1]\n").error().reason, Reason::kValueMalformed);
  EXPECT_EQ(LoadText("[database]\nurl = 2026-01-01\n").error().reason, Reason::kValueMalformed);

  SetVariable("SIGNING_THREADS", "2x");
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n").error().reason, Reason::kValueMalformed);
}

TEST_F(ConfigTest, BoundsHoldInFileAndEnvironment) {
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n[signing]\nthreads = 0\n").error().reason, Reason::kValueOutOfRange);
  EXPECT_TRUE(LoadText("[database]\nurl = \"x\"\n[signing]\nthreads = 64\n"));

  SetVariable("SIGNING_THREADS", "65");
  EXPECT_EQ(LoadText("[database]\nurl = \"x\"\n").error().reason, Reason::kValueOutOfRange);
}

TEST_F(ConfigTest, MissingFileMissingKeyAndBadSyntaxAreToldApart) {
  EXPECT_EQ(Config::Load("/nowhere/x.toml", Keys(), kPrefix).error().reason, Reason::kNotFound);
  EXPECT_EQ(LoadText("").error().reason, Reason::kValueMissing);
  EXPECT_EQ(LoadText("[database\n").error().reason, Reason::kValueMalformed);
}

TEST_F(ConfigTest, DescriptionIsItselfAConfigurationFile) {
  const std::string text = DescribeConfig(Keys(), kPrefix);

  EXPECT_THAT(text, HasSubstr("IDZONE_CONFIGTEST_SIGNING_THREADS; from 1 to 64"));
  EXPECT_TRUE(LoadText(text)) << text;
}

}  // namespace
}  // namespace idzone::process
