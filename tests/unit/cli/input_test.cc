// SPDX-License-Identifier: MIT
#include "cli/input.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "services/core/base/limits.h"

namespace idzone::cli {
namespace {

std::filesystem::path Scratch(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / ("input_test_" + name);
}

TEST(MaterialFromTextTest, KeepsPemAsItIs) {
  const std::string pem = "\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

  EXPECT_EQ(MaterialFromText(pem, "certificate").value(), pem);
}

TEST(MaterialFromTextTest, DecodesBase64WithLineEnds) {
  EXPECT_EQ(MaterialFromText("aWR6\r\nb25l\n", "certificate").value(), "idzone");
  EXPECT_EQ(MaterialFromText("aWR6b24=", "certificate").value(), "idzon");
  EXPECT_EQ(MaterialFromText("aWR6bw==", "certificate").value(), "idzo");
}

TEST(MaterialFromTextTest, RefusesWhatIsNeither) {
  for (const char* text : {"", "=", "====", "a", "ab", "abc", "a=bc", "hello world!", "aWR6b2", "aWR6bw==aWR6", "aWR6===="})
    EXPECT_EQ(MaterialFromText(text, "certificate").error().reason, Reason::kMaterialMalformed) << text;
}

TEST(ReadMaterialFileTest, TellsMissingEmptyAndOversizedFiles) {
  std::ofstream(Scratch("empty")).close();
  std::ofstream(Scratch("large")) << std::string(limits::kMaterialOctetsMax + 1, 'x');
  std::ofstream(Scratch("whole")) << std::string(limits::kMaterialOctetsMax, 'x');

  EXPECT_EQ(ReadMaterialFile(Scratch("absent")).error().reason, Reason::kNotFound);
  EXPECT_EQ(ReadMaterialFile(testing::TempDir()).error().reason, Reason::kNotFound);
  EXPECT_EQ(ReadMaterialFile(Scratch("empty")).error().reason, Reason::kMaterialMissing);
  EXPECT_EQ(ReadMaterialFile(Scratch("large")).error().reason, Reason::kLimitExceeded);
  EXPECT_EQ(ReadMaterialFile(Scratch("whole")).value().size(), limits::kMaterialOctetsMax);
}

}  // namespace
}  // namespace idzone::cli
