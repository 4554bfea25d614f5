// SPDX-License-Identifier: MIT
#include "cli/import/line_reader.h"

#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

std::vector<LineReader::Line> Lines(const std::string& text) {
  std::istringstream stream(text);
  LineReader reader(stream);
  std::vector<LineReader::Line> lines;
  while (auto line = reader.Next()) lines.push_back(*line);
  EXPECT_EQ(reader.octets_read(), text.size());
  return lines;
}

TEST(LineReaderTest, ReadsLfCrlfAndAnEndWithoutLineEnd) {
  const auto lines = Lines("a\r\nb\n\nc");

  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].text, "a");
  EXPECT_EQ(lines[1].text, "b");
  EXPECT_EQ(lines[2].text, "");
  EXPECT_EQ(lines[3].text, "c");
  EXPECT_EQ(lines[3].number, 4u);
}

TEST(LineReaderTest, SkipsAByteOrderMarkAtTheBeginningOnly) {
  const auto lines = Lines("\xef\xbb\xbfid\n\xef\xbb\xbfid\n");

  EXPECT_EQ(lines[0].text, "id");
  EXPECT_EQ(lines[1].text, "\xef\xbb\xbfid");
}

TEST(LineReaderTest, CutsOverlongLinesAndGoesOn) {
  const auto lines = Lines(std::string(kImportRecordOctetsMax, 'x') + "\n" + std::string(kImportRecordOctetsMax * 5, 'y') + "\nz\n");

  ASSERT_EQ(lines.size(), 3u);
  EXPECT_FALSE(lines[0].too_long);
  EXPECT_TRUE(lines[1].too_long);
  EXPECT_EQ(lines[1].text.size(), kImportRecordOctetsMax);
  EXPECT_EQ(lines[2].text, "z");
}

TEST(LineReaderTest, AnEmptyFileHasNoLine) {
  EXPECT_TRUE(Lines("").empty());
}

}  // namespace
}  // namespace idzone::cli
