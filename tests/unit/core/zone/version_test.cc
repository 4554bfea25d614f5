// SPDX-License-Identifier: MIT
#include "services/core/zone/version.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

TEST(VersionTest, DigestDependsOnEverythingInTheVersion) {
  const Octets previous(32, '\0');
  const Octets digest = VersionDigest(previous, 1, 2, "delta");
  EXPECT_EQ(digest, Sha256(previous + Octets("\x00\x00\x00\x01\x00\x00\x00\x02", 8) + "delta"));
  EXPECT_NE(digest, VersionDigest(Octets(32, '\1'), 1, 2, "delta"));
  EXPECT_NE(digest, VersionDigest(previous, 2, 2, "delta"));
  EXPECT_NE(digest, VersionDigest(previous, 1, 3, "delta"));
  EXPECT_NE(digest, VersionDigest(previous, 1, 2, "deltb"));
}

}  // namespace
}  // namespace idzone::zone
