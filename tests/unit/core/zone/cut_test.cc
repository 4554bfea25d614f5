// SPDX-License-Identifier: MIT
#include "services/core/zone/cut.h"

#include <gtest/gtest.h>

#include <set>

namespace idzone::zone {
namespace {

dns::Name NameOf(std::string_view text) {
  return dns::Name::Parse(text).value();
}

const dns::Name kApex = NameOf("_device.acme.example.");
const Layout kTree2{LayoutKind::kTree, 2, EnumForm::kNone};

Layout EnumOf(EnumForm form) {
  return {LayoutKind::kEnum, 0, form};
}

TEST(CutTest, ATreeHasOneCutForEachPrefix) {
  EXPECT_EQ(TreeCutCount({LayoutKind::kTree, 1, EnumForm::kNone}), 16U);
  EXPECT_EQ(TreeCutCount(kTree2), 256U);
  EXPECT_EQ(TreeCutCount({LayoutKind::kTree, 3, EnumForm::kNone}), 4096U);
  EXPECT_EQ(TreeCut(kTree2, kApex, 0).value(), NameOf("00._device.acme.example."));
  EXPECT_EQ(TreeCut(kTree2, kApex, 0x7f).value(), NameOf("7f._device.acme.example."));
  EXPECT_EQ(TreeCut(kTree2, kApex, 255).value(), NameOf("ff._device.acme.example."));
  EXPECT_EQ(TreeCut({LayoutKind::kTree, 3, EnumForm::kNone}, kApex, 0xabc).value(), NameOf("abc._device.acme.example."));
}

TEST(CutTest, OtherLayoutsHaveNoneByThemselves) {
  EXPECT_EQ(TreeCutCount({LayoutKind::kTree, 0, EnumForm::kNone}), 0U);
  EXPECT_EQ(TreeCutCount({LayoutKind::kFlat, 0, EnumForm::kNone}), 0U);
  EXPECT_EQ(TreeCutCount(EnumOf(EnumForm::kE164)), 0U);
}

TEST(CutTest, EveryOwnerOfATreeLiesBelowOneOfItsCuts) {
  std::set<dns::Name> cuts;
  for (std::uint32_t number = 0; number < 256; ++number) cuts.insert(TreeCut(kTree2, kApex, number).value());

  for (const char* id : {"sensor7", "a", "dev000042"}) {
    const auto subject = identity::Subject::Parse(identity::SubjectForm::kLabel, id).value();
    const auto names = PossibleCuts(kTree2, kApex, OwnerName(kTree2, kApex, subject).value());

    ASSERT_EQ(names.size(), 1U);
    EXPECT_TRUE(cuts.contains(names.front())) << names.front().Format();
  }
}

TEST(CutTest, AnEnumOwnerMayLieBelowManyCutsTheLongestFirst) {
  const auto names = PossibleCuts(EnumOf(EnumForm::kE164), kApex, NameOf("1.4.4._device.acme.example."));

  EXPECT_EQ(names, (std::vector<dns::Name>{NameOf("1.4.4._device.acme.example."), NameOf("4.4._device.acme.example."),
                                           NameOf("4._device.acme.example.")}));
  EXPECT_TRUE(PossibleCuts(EnumOf(EnumForm::kE164), kApex, kApex).empty());
}

TEST(CutTest, APrefixIsTheZoneOfItsReversedDigits) {
  const auto phone = ParseCutPrefix(EnumOf(EnumForm::kE164), kApex, "+44 16").value();
  EXPECT_EQ(phone.digits, "4416");
  EXPECT_EQ(phone.zone, NameOf("6.1.4.4._device.acme.example."));
  const auto oui = ParseCutPrefix(EnumOf(EnumForm::kEui48), kApex, "00:1B:C5").value();
  EXPECT_EQ(oui.digits, "001bc5");
  EXPECT_EQ(oui.zone, NameOf("5.c.b.1.0.0._device.acme.example."));
}

TEST(CutTest, APrefixIsShorterThanAnIdAndHasItsDigits) {
  const auto refusal = [](EnumForm form, std::string_view text) { return ParseCutPrefix(EnumOf(form), kApex, text).error().reason; };
  EXPECT_EQ(refusal(EnumForm::kEui48, "001bc5000001"), Reason::kValueOutOfRange);
  EXPECT_EQ(refusal(EnumForm::kImei, "490154203237518"), Reason::kValueOutOfRange);
  EXPECT_EQ(refusal(EnumForm::kE164, ""), Reason::kValueOutOfRange);
  EXPECT_EQ(refusal(EnumForm::kE164, "4a"), Reason::kValueMalformed);
  EXPECT_EQ(refusal(EnumForm::kEui48, "00_1b"), Reason::kValueMalformed);
  EXPECT_TRUE(ParseCutPrefix(EnumOf(EnumForm::kEui48), kApex, "001bc500000").has_value());
}

TEST(CutTest, AZoneThatIsTooLongForNsec3IsRefused) {
  dns::Name apex = kApex;
  while (apex.wire().size() < 200) apex = apex.Prepend("aaaaaaaaa").value();
  EXPECT_EQ(ParseCutPrefix(EnumOf(EnumForm::kDigits), apex, std::string(20, '1')).error().reason, Reason::kNameMalformed);
}

}  // namespace
}  // namespace idzone::zone
