// SPDX-License-Identifier: MIT
#include "services/core/zone/layout.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

using dns::Name;
using identity::Subject;
using identity::SubjectForm;

const Name kApex = Name::Parse("_device.acme.example").value();
const Subject kSensor = Subject::Parse(SubjectForm::kLabel, "sensor7").value();
const std::optional<std::string> kPrivate = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";

std::string EnumOwner(EnumForm form, const char* id) {
  const Layout layout = MakeLayout(LayoutKind::kEnum, 0, form).value();
  const auto subject = Subject::Parse(FormOf(NamespaceKind::kDevice, layout, LabelPrivacy::kClear), id);
  return OwnerName(layout, kApex, subject.value()).value().Format();
}

TEST(LayoutTest, FlatPutsTheIdBelowTheApex) {
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kFlat, 0).value(), kApex, kSensor).value().Format(), "sensor7._device.acme.example.");
}

// printf sensor7 | sha256sum
TEST(LayoutTest, TreePutsLeadingHexDigitsOfTheHashBetween) {
  const std::string hash = "f993d189abed4ee1eeffcf07f7428674de32dc9224afe6316203d21281748167";
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kTree, 0).value(), kApex, kSensor).value().Format(), "sensor7._device.acme.example.");
  for (std::uint32_t width = 1; width <= 3; ++width)
    EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kTree, width).value(), kApex, kSensor).value().Format(),
              "sensor7." + hash.substr(0, width) + "._device.acme.example.");
}

TEST(LayoutTest, RefusesWidthsThatALayoutDoesNotHave) {
  EXPECT_EQ(MakeLayout(LayoutKind::kFlat, 1).error().reason, Reason::kValueOutOfRange);
  EXPECT_EQ(MakeLayout(LayoutKind::kTree, 4).error().reason, Reason::kValueOutOfRange);
  EXPECT_EQ(MakeLayout(static_cast<LayoutKind>(9), 0).error().reason, Reason::kEnumUnknown);
}

TEST(LayoutTest, RefusesAnIdWhoseNameWouldBeTooLong) {
  const std::string label(63, 'x');
  const Name apex = Name::Parse("_device." + label + "." + label + "." + std::string(60, 'y')).value();
  EXPECT_EQ(OwnerName(Layout{}, apex, Subject::Parse(SubjectForm::kLabel, label).value()).error().reason, Reason::kIdNotCarriedByLayout);
}

// RFC 6116 §3.2: the number's digits, reversed, a dot between; facts §4.2 has this number.
TEST(LayoutTest, EnumPutsTheLastDigitFirst) {
  EXPECT_EQ(EnumOwner(EnumForm::kE164, "+44 1632 960083"), "3.8.0.0.6.9.2.3.6.1.4.4._device.acme.example.");
  EXPECT_EQ(EnumOwner(EnumForm::kDigits, "0012"), "2.1.0.0._device.acme.example.");
  EXPECT_EQ(EnumOwner(EnumForm::kNibbles, "A0f"), "f.0.a._device.acme.example.");
  EXPECT_EQ(EnumOwner(EnumForm::kEui48, "00-1B-44-11-3a-b7"), "7.b.a.3.1.1.4.4.b.1.0.0._device.acme.example.");
  EXPECT_EQ(EnumOwner(EnumForm::kImei, "490154203237518"), "8.1.5.7.3.2.3.0.2.4.5.1.0.9.4._device.acme.example.");
}

TEST(LayoutTest, EnumPutsASerialBelowItsGtin) {
  EXPECT_EQ(EnumOwner(EnumForm::kGs1, "09506000134352"), "2.5.3.4.3.1.0.0.0.6.0.5.9.0._device.acme.example.");
  EXPECT_EQ(EnumOwner(EnumForm::kGs1, "(01)09506000134352(21)A1"), "a1.2.5.3.4.3.1.0.0.0.6.0.5.9.0._device.acme.example.");
}

TEST(LayoutTest, EnumHasNoPrivateLabels) {
  const Layout layout = MakeLayout(LayoutKind::kEnum, 0, EnumForm::kDigits).value();
  const Subject subject = Subject::Parse(SubjectForm::kDigits, "12").value();
  EXPECT_EQ(OwnerName(layout, kApex, subject, kPrivate).error().reason, Reason::kIdNotCarriedByLayout);
}

TEST(LayoutTest, APrivateLabelTakesTheIdsPlaceAndThePrefixToo) {
  const Subject subject = Subject::Parse(SubjectForm::kOpaque, "Zähler 7/2").value();
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kFlat, 0).value(), kApex, subject, kPrivate).value().Format(),
            *kPrivate + "._device.acme.example.");
  EXPECT_EQ(OwnerName(MakeLayout(LayoutKind::kTree, 2).value(), kApex, subject, kPrivate).value().Format(),
            *kPrivate + "." + HexEncode(Sha256(*kPrivate)).substr(0, 2) + "._device.acme.example.");
}

TEST(LayoutTest, AClearNameNeedsAnIdThatIsALabel) {
  EXPECT_EQ(OwnerName(Layout{}, kApex, Subject::Parse(SubjectForm::kUser, "Alice").value()).value().FirstLabel(), "alice");
  EXPECT_EQ(OwnerName(Layout{}, kApex, Subject::Parse(SubjectForm::kUser, "alice smith").value()).error().reason, Reason::kIdMalformed);
}

// RFC 7929 §3's example: hugh@example.com.
TEST(LayoutTest, MailboxesAreAtTheHashOfTheirLocalPart) {
  const Name apex = Name::Parse("_openpgpkey.example.com").value();
  const auto owner = [&](const char* local) {
    return OwnerName(Layout{}, apex, Subject::Parse(SubjectForm::kMailbox, local).value()).value().Format();
  };
  EXPECT_EQ(owner("hugh"), "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._openpgpkey.example.com.");
  EXPECT_NE(owner("Hugh"), owner("hugh"));
}

TEST(LayoutTest, AServiceIsAtItsApex) {
  const Name apex = Name::Parse("_smtp-client.device1.example.com").value();
  EXPECT_EQ(OwnerName(Layout{}, apex, Subject::Parse(SubjectForm::kApex, "@").value()).value(), apex);
}

TEST(LayoutTest, KindLayoutAndPrivacySayWhatIdsAre) {
  const Layout flat = MakeLayout(LayoutKind::kFlat, 0).value();
  const Layout phones = MakeLayout(LayoutKind::kEnum, 0, EnumForm::kE164).value();
  EXPECT_EQ(FormOf(NamespaceKind::kDevice, flat, LabelPrivacy::kClear), SubjectForm::kLabel);
  EXPECT_EQ(FormOf(NamespaceKind::kDevice, flat, LabelPrivacy::kPrivate), SubjectForm::kOpaque);
  EXPECT_EQ(FormOf(NamespaceKind::kDevice, flat, LabelPrivacy::kChosen), SubjectForm::kUser);
  EXPECT_EQ(FormOf(NamespaceKind::kUser, flat, LabelPrivacy::kPrivate), SubjectForm::kUser);
  EXPECT_EQ(FormOf(NamespaceKind::kUser, flat, LabelPrivacy::kClear), SubjectForm::kLabel);
  EXPECT_EQ(FormOf(NamespaceKind::kUser, phones, LabelPrivacy::kClear), SubjectForm::kE164);
  EXPECT_EQ(FormOf(NamespaceKind::kMailKey, flat, LabelPrivacy::kClear), SubjectForm::kMailbox);
  EXPECT_EQ(FormOf(NamespaceKind::kMailCertificate, flat, LabelPrivacy::kClear), SubjectForm::kMailbox);
  EXPECT_EQ(FormOf(NamespaceKind::kService, flat, LabelPrivacy::kClear), SubjectForm::kApex);
}

TEST(LayoutTest, WidthGrowsWithTheExpectedNumber) {
  EXPECT_EQ(WidthForExpected(1), 0);
  EXPECT_EQ(WidthForExpected(100'000), 1);
  EXPECT_EQ(WidthForExpected(10'000'000), 2);
  EXPECT_EQ(WidthForExpected(10'000'001), 3);
}

}  // namespace
}  // namespace idzone::zone
