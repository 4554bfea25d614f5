// SPDX-License-Identifier: MIT
#include "services/core/dns/name.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace idzone::dns {
namespace {

Name N(std::string_view text) {
  return Name::Parse(text).value();
}

TEST(NameTest, ParsesToLowerCaseWireForm) {
  EXPECT_EQ(N("Sensor7._Device.Example.").wire(), Octets("\x07sensor7\x07_device\x07"
                                                         "example\x00",
                                                         25));
  EXPECT_EQ(N("a.b"), N("A.B."));
  EXPECT_TRUE(N(".").IsRoot());
}

TEST(NameTest, UnderstandsEscapes) {
  EXPECT_EQ(N("a\\.b.c").Labels().front(), "a.b");
  EXPECT_EQ(N("\\065.c").Labels().front(), "a");
  EXPECT_EQ(N("\\000\\255.c").FirstLabel(), Octets("\x00\xff", 2));
  EXPECT_EQ(N("a\\.b.\\000c").Format(), "a\\.b.\\000c.");
}

TEST(NameTest, RefusesWhatRfc1035DoesNotAllow) {
  for (const char* text : {"", "a..b", ".a", "..", "a\\", "a\\25", "a\\256", "a\\2x5"}) {
    const auto name = Name::Parse(text, "field");
    ASSERT_FALSE(name.has_value()) << text;
    EXPECT_EQ(name.error().reason, Reason::kNameMalformed) << text;
    EXPECT_EQ(name.error().subject, "field");
  }
}

TEST(NameTest, HoldsLabelsOf63AndNamesOf255OctetsAndNoMore) {
  const std::string label63(63, 'x');
  EXPECT_TRUE(Name::Parse(label63).has_value());
  EXPECT_FALSE(Name::Parse(label63 + "x").has_value());

  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'y');
  ASSERT_TRUE(Name::Parse(longest).has_value());
  EXPECT_EQ(N(longest).wire().size(), 255u);
  EXPECT_FALSE(Name::Parse(longest + "y").has_value());
  EXPECT_FALSE(N(longest).Prepend("a").has_value());
}

TEST(NameTest, ReadsWireFormAndRefusesPointersAndRests) {
  EXPECT_EQ(Name::FromWire(Octets("\x01"
                                  "A\x00",
                                  3))
                .value(),
            N("a"));
  EXPECT_FALSE(Name::FromWire(Octets("\xc0\x0c", 2)).has_value());
  EXPECT_FALSE(Name::FromWire(Octets("\x01"
                                     "a",
                                     2))
                   .has_value());
  EXPECT_FALSE(Name::FromWire(Octets("\x00\x00", 2)).has_value());
  EXPECT_FALSE(Name::FromWire("").has_value());
}

TEST(NameTest, KnowsItsAncestors) {
  EXPECT_TRUE(N("a.b.c").IsAtOrBelow(N("b.c")));
  EXPECT_TRUE(N("b.c").IsAtOrBelow(N("b.c")));
  EXPECT_TRUE(N("b.c").IsAtOrBelow(Name()));
  EXPECT_FALSE(N("xb.c").IsAtOrBelow(N("b.c")));
  EXPECT_FALSE(N("c").IsAtOrBelow(N("b.c")));
  // The octets of "b.c" also stand at the end of a label that contains them.
  EXPECT_FALSE(N("a\\001b.c").IsAtOrBelow(N("b.c")));
  EXPECT_EQ(N("a.b.c").Parent(), N("b.c"));
  EXPECT_EQ(N("*.b.c").rrsig_label_count(), 2u);
}

// RFC 4034 §6.1, the example.
TEST(NameTest, SortsAsRfc4034Says) {
  const std::vector<Name> sorted = {N("example"),   N("a.example"),       N("yljkjljk.a.example"), N("Z.a.example"),    N("zABC.a.EXAMPLE"),
                                    N("z.example"), N("\\001.z.example"), N("*.z.example"),        N("\\200.z.example")};
  auto shuffled = sorted;
  std::reverse(shuffled.begin(), shuffled.end());
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, sorted);
}

}  // namespace
}  // namespace idzone::dns
