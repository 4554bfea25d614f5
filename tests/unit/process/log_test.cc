// SPDX-License-Identifier: MIT
#include "services/process/log.h"

#include <gtest/gtest.h>

namespace idzone::process {
namespace {

TEST(LogTest, PlainValuesStandBare) {
  EXPECT_EQ(FormatLogLine("signer.version_published", {{"zone", "_device.acme.example."}, {"serial", 7}, {"live", true}}),
            "signer.version_published zone=_device.acme.example. serial=7 live=true");
}

TEST(LogTest, NoValueForgesALineOrAField) {
  EXPECT_EQ(FormatLogLine("a.b", {{"k", "x\ny=1 level=error"}}), "a.b k=\"x\\ny=1 level=error\"");
  EXPECT_EQ(FormatLogLine("a.b", {{"k", "say \"hi\" \\ \x1b[31m"}}), "a.b k=\"say \\\"hi\\\" \\\\ \\x1b[31m\"");
  EXPECT_EQ(FormatLogLine("a.b", {{"k", ""}}), "a.b k=\"\"");
}

TEST(LogTest, ThresholdKnowsFourLevels) {
  EXPECT_TRUE(SetLogThreshold("warning"));
  EXPECT_TRUE(SetLogThreshold("info"));
  EXPECT_EQ(SetLogThreshold("loud").error().reason, Reason::kEnumUnknown);
}

}  // namespace
}  // namespace idzone::process
