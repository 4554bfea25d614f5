// SPDX-License-Identifier: MIT
#include "services/verifier/trust_anchor.h"

#include <gtest/gtest.h>

namespace idzone::verifier {
namespace {

TEST(TrustAnchorTest, ReadsWhatZoneDsPrints) {
  const auto anchors = ParseTrustAnchors(
                           "_device.acme.example.\t3600\tIN\tNS\tns1.acme.example.\n"
                           "_device.acme.example.\t3600\tIN\tDS\t12345 13 2 aabb ccdd\n",
                           "anchors")
                           .value();

  ASSERT_EQ(anchors.size(), 1u);
  EXPECT_EQ(anchors[0].zone.Format(), "_device.acme.example.");
  EXPECT_EQ(anchors[0].line, "_device.acme.example. IN DS 12345 13 2 aabb ccdd");
}

TEST(TrustAnchorTest, ReadsDnskeysCommentsAndBareOwners) {
  const auto anchors = ParseTrustAnchors("; the root\n\n. IN DNSKEY 257 3 8 AwEA ; KSK\nExample ds 1 13 2 aa\n", "anchors").value();

  ASSERT_EQ(anchors.size(), 2u);
  EXPECT_EQ(anchors[0].line, ". IN DNSKEY 257 3 8 AwEA");
  EXPECT_EQ(anchors[1].line, "example. IN DS 1 13 2 aa");
}

TEST(TrustAnchorTest, RefusesWhatIsNoAnchor) {
  EXPECT_EQ(ParseTrustAnchors("", "f").error().reason, Reason::kValueMissing);
  EXPECT_EQ(ParseTrustAnchors("a. IN NS b.\n", "f").error().reason, Reason::kValueMissing);
  EXPECT_EQ(ParseTrustAnchors("word\n", "f").error().subject, "f:1");
  EXPECT_EQ(ParseTrustAnchors("a. IN DS 1 13\n", "f").error().reason, Reason::kValueMalformed);
  EXPECT_EQ(ParseTrustAnchors("a..b. IN DS 1 13 2 aa\n", "f").error().reason, Reason::kNameMalformed);
  EXPECT_EQ(ReadTrustAnchors("/nowhere").error().reason, Reason::kNotFound);
}

}  // namespace
}  // namespace idzone::verifier
