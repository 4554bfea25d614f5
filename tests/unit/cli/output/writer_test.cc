// SPDX-License-Identifier: MIT
#include "cli/output/writer.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace idzone::cli {
namespace {

const std::vector<Column> kColumns = {{"ID", "id"}, {"STATE", "state"}};

std::string Listed(OutputFormat format, const std::vector<Json>& rows) {
  std::ostringstream out;
  ListWriter writer(out, format, kColumns);
  for (const Json& row : rows) writer.Add(row);
  writer.End();
  return out.str();
}

std::string Object(OutputFormat format, const Json& object) {
  std::ostringstream out;
  WriteObject(out, format, object);
  return out.str();
}

TEST(ListWriterTest, AlignsTablesWithoutTrailingBlanks) {
  EXPECT_EQ(Listed(OutputFormat::kTable, {{{"id", "sensor7"}, {"state", "active"}}, {{"id", "s"}, {"state", nullptr}}}),
            "ID       STATE\n"
            "sensor7  active\n"
            "s        -\n");
}

TEST(ListWriterTest, AnEmptyTableStillHasItsHead) {
  EXPECT_EQ(Listed(OutputFormat::kTable, {}), "ID  STATE\n");
}

TEST(ListWriterTest, JsonIsOneArrayOfAnyLength) {
  EXPECT_EQ(Json::parse(Listed(OutputFormat::kJson, {})).size(), 0u);
  EXPECT_EQ(Json::parse(Listed(OutputFormat::kJson, std::vector<Json>(1, Json{{"id", "a"}}))).size(), 1u);
  EXPECT_EQ(Json::parse(Listed(OutputFormat::kJson, std::vector<Json>(500, Json{{"id", "a"}}))).size(), 500u);
}

TEST(ListWriterTest, JsonLinesHaveOneRowEach) {
  EXPECT_EQ(Listed(OutputFormat::kJsonLines, {{{"id", "a"}}, {{"id", "b"}}}), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
}

TEST(ListWriterTest, LongTablesKeepTheWidthsOfTheirBeginning) {
  std::vector<Json> rows(300, Json{{"id", "abc"}, {"state", "x"}});
  rows.push_back({{"id", "longer than all before"}, {"state", "y"}});

  const std::string table = Listed(OutputFormat::kTable, rows);

  EXPECT_NE(table.find("\nabc  x\n"), std::string::npos);
  EXPECT_NE(table.find("\nlonger than all before  y\n"), std::string::npos);
}

TEST(WriterTest, NoControlCharacterReachesTheTerminal) {
  const std::string text = Object(OutputFormat::kTable, {{"name", "a\x1b[31m\nb\x7f\tc"}});

  EXPECT_EQ(text, "name:  a\\x1b[31m\\x0ab\\x7f c\n");
}

TEST(WriterTest, BadUtf8IsReplacedAndNotThrown) {
  EXPECT_NO_THROW(Object(OutputFormat::kJson, {{"name", "\xff\xfe"}}));
  EXPECT_NO_THROW(Object(OutputFormat::kYaml, {{"name", "\xff\xfe"}}));
}

TEST(WriterTest, ListsInsideObjectsStandBelowEachOther) {
  EXPECT_EQ(Object(OutputFormat::kTable, {{"zone_name", "z."}, {"ns", {"a.", "b."}}}), "zone name:  z.\nns:         a.\n            b.\n");
}

TEST(WriterTest, WidthCountsCodePoints) {
  EXPECT_EQ(DisplayWidth("Müller"), 6u);
  EXPECT_EQ(DisplayWidth(""), 0u);
}

TEST(YamlTest, WritesNestedBlocks) {
  EXPECT_EQ(Object(OutputFormat::kYaml,
                   {{"name", "a.b"}, {"empty", Json::array()}, {"keys", {{{"tag", 7}, {"on", true}}, {{"tag", 8}, {"on", nullptr}}}}}),
            "name: a.b\n"
            "empty: []\n"
            "keys:\n"
            "  - tag: 7\n"
            "    \"on\": true\n"
            "  - tag: 8\n"
            "    \"on\": null\n");
}

TEST(YamlTest, QuotesWhatAReaderCouldMistake) {
  for (const char* text : {"yes", "No", "null", "true", "1.5", "0x1f", "", "- a", "a: b", "#c", "2026-11-23", "a b", "*", "line\nbreak"})
    EXPECT_EQ(Object(OutputFormat::kYaml, {{"k", text}}), "k: " + Json(text).dump() + "\n") << text;
}

}  // namespace
}  // namespace idzone::cli
