// SPDX-License-Identifier: MIT
#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

TEST(ExitCodeTest, TellsBadInputAndWrongStateAsRefused) {
  EXPECT_EQ(ExitCodeOf(Reason::kKeyTooWeak), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(Reason::kIdentityRevoked), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(Reason::kNotFound), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(Reason::kLimitExceeded), ExitCode::kRefused);
}

TEST(ExitCodeTest, TellsCallersWithoutRightsApart) {
  EXPECT_EQ(ExitCodeOf(Reason::kCertificateExpired), ExitCode::kNotAllowed);
  EXPECT_EQ(ExitCodeOf(Reason::kRoleMissing), ExitCode::kNotAllowed);
  EXPECT_EQ(ExitCodeOf(Reason::kNamespaceForeign), ExitCode::kNotAllowed);
}

TEST(ExitCodeTest, TellsAnAbsentServerApart) {
  EXPECT_EQ(ExitCodeOf(Reason::kUnavailable), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Reason::kDeadline), ExitCode::kUnreachable);
}

TEST(ExitCodeTest, TellsServerFaultsAsOther) {
  EXPECT_EQ(ExitCodeOf(Reason::kInternal), ExitCode::kOther);
  EXPECT_EQ(ExitCodeOf(Reason::kClockDoubt), ExitCode::kOther);
  EXPECT_EQ(ExitCodeOf(Reason::kKeyTokenUnavailable), ExitCode::kOther);
}

TEST(ExitCodeTest, TheNumbersAreTheInterface) {
  EXPECT_EQ(static_cast<int>(ExitCode::kOk), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kOther), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kRefused), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotAllowed), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnreachable), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kPartial), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotVerified), 7);
}

}  // namespace
}  // namespace idzone::cli
