// SPDX-License-Identifier: MIT
#include "cli/import/output_files.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace idzone::cli {
namespace {

std::string Contents(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ResultsFileTest, HasALineForEachItem) {
  const std::filesystem::path file = testing::TempDir() + "results_test.jsonl";
  ResultsFile results(file);
  ASSERT_TRUE(results.Open());

  results.Write({.line = 2,
                 .id = "a",
                 .owner_name = "a.z.",
                 .fingerprint = "\x01\xff",
                 .already = false,
                 .change = 7,
                 .version = PublishedVersion{.epoch = 1, .serial = 9}});
  results.Write({.line = 3, .id = "b", .owner_name = "b.z.", .fingerprint = "\x02", .already = true, .change = 8, .version = std::nullopt});

  ASSERT_TRUE(results.Close());
  EXPECT_EQ(Contents(file),
            "{\"line\":2,\"id\":\"a\",\"owner_name\":\"a.z.\",\"fingerprint\":\"01ff\",\"version\":{\"epoch\":1,\"serial\":9},\"status\":"
            "\"enrolled\"}\n"
            "{\"line\":3,\"id\":\"b\",\"owner_name\":\"b.z.\",\"fingerprint\":\"02\",\"version\":null,\"status\":\"already\"}\n");
}

TEST(ResultsFileTest, IsJsonWhateverAnIdHolds) {
  const std::filesystem::path file = testing::TempDir() + "results_escaped_test.jsonl";
  const std::vector<std::string> ids = {"a\"b\\c", "tab\t", "\x01", "hügh", "", "/~ "};
  ResultsFile results(file);
  ASSERT_TRUE(results.Open());

  for (const std::string& id : ids)
    results.Write({.line = 1, .id = id, .owner_name = id, .fingerprint = "", .already = false, .change = 1, .version = std::nullopt});

  ASSERT_TRUE(results.Close());
  std::istringstream lines(Contents(file));
  std::string line;
  for (const std::string& id : ids) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(nlohmann::json::parse(line).at("id"), id);
    EXPECT_EQ(nlohmann::json::parse(line).at("owner_name"), id);
  }
}

TEST(FailedFileTest, ExistsOnlyWhenSomethingFailed) {
  const std::filesystem::path file = testing::TempDir() + "failed_test.csv";
  std::ofstream(file) << "of an earlier run";
  std::istringstream stream("id,certificate\nx,AAAA\n");
  const auto source = OpenImportSource(stream, {.format = ImportFormat::kCsv, .base = ""}).value();
  FailedFile failed(file, *source);

  ASSERT_TRUE(failed.Clear());
  ASSERT_TRUE(failed.Close());
  EXPECT_FALSE(std::filesystem::exists(file));

  FailedFile second(file, *source);
  second.Write({.line = 2, .id = "x", .error = {Reason::kKeyTooWeak, "certificate", "2048", "1024"}, .original = "x,AAAA", .text = {}});
  ASSERT_TRUE(second.Close());
  EXPECT_EQ(Contents(file),
            "id,certificate,error_line,error_reason,error_detail,error_text\n"
            "x,AAAA,2,KEY_TOO_WEAK,\"certificate: expected 2048, met 1024\",\n");
}

}  // namespace
}  // namespace idzone::cli
