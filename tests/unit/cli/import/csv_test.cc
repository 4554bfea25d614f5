// SPDX-License-Identifier: MIT
#include "cli/import/csv.h"

#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

std::vector<CsvRecord> Records(const std::string& text, std::size_t fields) {
  std::istringstream stream(text);
  LineReader lines(stream);
  CsvReader reader(lines);
  reader.ExpectFields(fields);
  std::vector<CsvRecord> records;
  while (auto record = reader.Next()) records.push_back(*record);
  return records;
}

using Fields = std::vector<std::string>;

TEST(CsvTest, ReadsQuotedFieldsWithCommasQuotesAndLineEnds) {
  const auto records = Records("a,\"b,\"\"c\"\"\r\nd\"\r\n\"\",e\n", 2);

  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].fields, (Fields{"a", "b,\"c\"\nd"}));
  EXPECT_EQ(records[1].fields, (Fields{"", "e"}));
  EXPECT_EQ(records[1].line, 3u);
}

TEST(CsvTest, SkipsEmptyLines) {
  EXPECT_EQ(Records("\n\na,b\n\n\nc,d\n\n", 2).size(), 2u);
}

TEST(CsvTest, AStrayQuoteCostsOnlyItsRecord) {
  const auto records = Records("a,\"b\nc,d\ne,f\n", 2);

  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].line, 1u);
  EXPECT_FALSE(records[0].fault.empty());
  EXPECT_EQ(records[0].text, "a,\"b");
  EXPECT_EQ(records[1].fields, (Fields{"c", "d"}));
  EXPECT_EQ(records[2].fields, (Fields{"e", "f"}));
}

TEST(CsvTest, AStrayQuoteBeforeQuotedRecordsCostsOnlyItsRecord) {
  const auto records = Records("a,\"b\nc,\"d\ne\"\nf,\"g\"\n", 2);

  ASSERT_EQ(records.size(), 3u);
  EXPECT_FALSE(records[0].fault.empty());
  EXPECT_EQ(records[1].fields, (Fields{"c", "d\ne"}));
  EXPECT_EQ(records[2].fields, (Fields{"f", "g"}));
}

TEST(CsvTest, QuotesInTheWrongPlaceAreFaults) {
  EXPECT_FALSE(Records("a\"b,c\n", 2)[0].fault.empty());
  EXPECT_FALSE(Records("\"a\"b,c\n", 2)[0].fault.empty());
  EXPECT_FALSE(Records("a,\"b\" \n", 2)[0].fault.empty());
}

TEST(CsvTest, AnotherNumberOfFieldsIsAFault) {
  const auto records = Records("a\na,b,c\na,b\n", 2);

  ASSERT_GE(records.size(), 2u);
  EXPECT_FALSE(records[0].fault.empty());
  EXPECT_EQ(records.back().fields, (Fields{"a", "b"}));
}

TEST(CsvTest, AnEndlessQuoteIsBounded) {
  std::string text = "a,\"b\n";
  for (int i = 0; i < 100'000; ++i) text += "line without a comma\n";
  text += "y,z\n";

  const auto records = Records(text, 2);

  ASSERT_EQ(records.size(), 2u);
  EXPECT_LE(records[0].text.size(), 1100u);
  EXPECT_EQ(records[1].fields, (Fields{"y", "z"}));
}

TEST(CsvTest, FieldsComeBackAsTheyWere) {
  for (const std::string text : {"", "plain", "a,b", "\"", "a\nb", "\r", "\"\"", " blank "}) {
    const auto records = Records(CsvField(text) + "," + CsvField(text) + "\n", 2);
    ASSERT_EQ(records.size(), 1u) << text;
    EXPECT_EQ(records[0].fields, (Fields{text, text})) << records[0].fault;
  }
}

TEST(CsvTest, EndsOnAnyOctets) {
  std::mt19937 random(20261123);
  const std::string alphabet = "a,\"\n\r\\ \xff";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t size = random() % 60; size > 0; --size) text.push_back(alphabet[random() % alphabet.size()]);
    for (const CsvRecord& record : Records(text, 2)) EXPECT_TRUE(!record.fault.empty() || record.fields.size() == 2) << text;
  }
}

}  // namespace
}  // namespace idzone::cli
