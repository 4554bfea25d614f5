// SPDX-License-Identifier: MIT
#include "services/core/identity/structured_id.h"

#include <gtest/gtest.h>

namespace idzone::identity {
namespace {

using enum SubjectForm;

std::string Canonical(SubjectForm form, const std::string& text) {
  const auto canonical = CanonicalStructuredId(form, text);
  return canonical ? *canonical : "refused: " + canonical.error().Detail();
}

std::string Met(SubjectForm form, const std::string& text) {
  const auto canonical = CanonicalStructuredId(form, text);
  EXPECT_FALSE(canonical.has_value()) << text;
  if (canonical) return "";
  EXPECT_EQ(canonical.error().reason, Reason::kIdMalformed);
  EXPECT_EQ(canonical.error().subject, "id");
  return canonical.error().met;
}

TEST(StructuredIdTest, DigitsAndNibblesAreRuns) {
  EXPECT_EQ(Canonical(kDigits, "007"), "007");
  EXPECT_EQ(Canonical(kDigits, std::string(64, '9')), std::string(64, '9'));
  EXPECT_EQ(Canonical(kNibbles, "DEADbeef"), "deadbeef");
  EXPECT_EQ(Met(kDigits, ""), "0 of them");
  EXPECT_EQ(Met(kDigits, std::string(65, '9')), "65 of them");
  EXPECT_EQ(Met(kDigits, "12a4"), "character \"a\" at position 3");
  EXPECT_EQ(Met(kNibbles, "12g4"), "character \"g\" at position 3");
  EXPECT_EQ(Met(kDigits, "1٣"), "character \"?\" at position 2");
  EXPECT_EQ(Met(kDigits, std::string(10'000, '1')), "10000 characters");
}

// IEEE "Guidelines for Use of EUI": AC-DE-48-23-45-67 and AC-DE-48-23-45-67-AB-CD, in the spellings that systems print.
TEST(StructuredIdTest, EuiIsReadInTheUsualSpellings) {
  for (const char* text : {"acde48234567", "AC-DE-48-23-45-67", "ac:de:48:23:45:67", "acde.4823.4567", "acde48-234567"})
    EXPECT_EQ(Canonical(kEui48, text), "acde48234567");
  for (const char* text : {"ACDE48234567ABCD", "AC-DE-48-23-45-67-AB-CD", "acde.4823.4567.abcd"})
    EXPECT_EQ(Canonical(kEui64, text), "acde48234567abcd");
}

TEST(StructuredIdTest, EuiSaysWhatIsWrong) {
  EXPECT_EQ(Met(kEui48, ""), "0 digits in groups of 12");
  EXPECT_EQ(Met(kEui48, "acde4823456"), "11 digits in groups of 12");
  EXPECT_EQ(Met(kEui48, "acde48234567a"), "13 digits in groups of 12");
  EXPECT_EQ(Met(kEui48, "acde48234567abcd"), "16 digits in groups of 12");
  EXPECT_EQ(Met(kEui48, "acde4823456g"), "character \"g\" at position 12");
  EXPECT_EQ(Met(kEui48, "ac-de-48:23-45-67"), "character \":\" at position 9");
  EXPECT_EQ(Met(kEui48, "a-de-48-23-45-67"), "character \"e\" at position 4");
  EXPECT_EQ(Met(kEui48, "ac-de-48-23-45-67-"), "character \"-\" at position 18");
  EXPECT_EQ(Met(kEui48, "-acde48234567"), "character \"a\" at position 2");
  EXPECT_EQ(Met(kEui48, "acde4-82345-67"), "12 digits in groups of 5");
  EXPECT_EQ(Met(kEui48, std::string(25, 'a')), "25 characters");
  EXPECT_EQ(Met(kEui64, "AC-DE-48-23-45-67"), "12 digits in groups of 2");
}

// The IMEI that 3GPP's and Wikipedia's worked examples of the Luhn digit share.
TEST(StructuredIdTest, ImeiHasALuhnDigit) {
  EXPECT_EQ(LuhnCheckDigit("49015420323751"), '8');
  EXPECT_EQ(Canonical(kImei, "490154203237518"), "490154203237518");
  EXPECT_EQ(Met(kImei, "490154203237517"), "check digit 7; 8 would be right");
  EXPECT_EQ(Met(kImei, "49015420323751"), "14 of them");
  EXPECT_EQ(Met(kImei, "4901542032375188"), "16 of them");
  EXPECT_EQ(Met(kImei, "49-015420-323751-8"), "character \"-\" at position 3");
}

TEST(StructuredIdTest, ImeiFindsEveryWrongDigitAndEverySwapButOfNineAndZero) {
  const std::string right = "490154203237518";
  for (std::size_t at = 0; at < right.size(); ++at) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string text = right;
      text[at] = digit;
      EXPECT_EQ(CanonicalStructuredId(kImei, text).has_value(), digit == right[at]) << text;
    }
    if (at == 0 || right[at] == right[at - 1]) continue;
    std::string swapped = right;
    std::swap(swapped[at], swapped[at - 1]);
    const bool blind = right[at] + right[at - 1] == '9' + '0' && (right[at] == '9' || right[at] == '0');
    EXPECT_EQ(CanonicalStructuredId(kImei, swapped).has_value(), blind) << swapped;
  }
}

// GS1 General Specifications' and GS1's own examples: 4006381333931 (GTIN-13), 09506000134352 (GTIN-14), 96385074 (GTIN-8),
// 036000291452 (GTIN-12).
TEST(StructuredIdTest, GtinsOfAllLengthsBecomeFourteenDigits) {
  EXPECT_EQ(Canonical(kGs1, "4006381333931"), "04006381333931");
  EXPECT_EQ(Canonical(kGs1, "09506000134352"), "09506000134352");
  EXPECT_EQ(Canonical(kGs1, "9506000134352"), "09506000134352");
  EXPECT_EQ(Canonical(kGs1, "96385074"), "00000096385074");
  EXPECT_EQ(Canonical(kGs1, "036000291452"), "00036000291452");
  EXPECT_EQ(Canonical(kGs1, "(01)09506000134352"), "09506000134352");
}

TEST(StructuredIdTest, GtinsMayHaveASerial) {
  EXPECT_EQ(Canonical(kGs1, "09506000134352.a1"), "09506000134352.a1");
  EXPECT_EQ(Canonical(kGs1, "4006381333931.A-1_b"), "04006381333931.a-1_b");
  EXPECT_EQ(Canonical(kGs1, "(01)09506000134352(21)A1"), "09506000134352.a1");
  EXPECT_EQ(Canonical(kGs1, "09506000134352." + std::string(20, '7')), "09506000134352." + std::string(20, '7'));
}

TEST(StructuredIdTest, Gs1SaysWhatIsWrong) {
  EXPECT_EQ(Met(kGs1, "4006381333930"), "check digit 0; 1 would be right");
  EXPECT_EQ(Met(kGs1, "400638133393"), "check digit 3; 0 would be right");
  EXPECT_EQ(Met(kGs1, "123456789"), "9 digits");
  EXPECT_EQ(Met(kGs1, "1234567"), "7 of them");
  EXPECT_EQ(Met(kGs1, "095060001343521"), "15 of them");
  EXPECT_EQ(Met(kGs1, "0950600013435x"), "character \"x\" at position 14");
  EXPECT_EQ(Met(kGs1, "09506000134352."), "0 of them");
  EXPECT_EQ(Met(kGs1, "09506000134352." + std::string(21, '7')), "21 of them");
  EXPECT_EQ(Met(kGs1, "09506000134352.a/1"), "character \"/\" at position 2");
  EXPECT_EQ(Met(kGs1, "09506000134352.a.1"), "character \".\" at position 2");
  EXPECT_EQ(Met(kGs1, "09506000134352._acme-challenge"), "\"_acme-challenge\"");
  EXPECT_EQ(Met(kGs1, "09506000134352(21)A1"), "character \"(\" at position 15");
  EXPECT_EQ(Met(kGs1, "(01)09506000134352.a1"), "character \".\" at position 15");
}

TEST(StructuredIdTest, TelephoneNumbersAreReadAsPeopleWriteThem) {
  for (const char* text : {"+44 1632 960083", "441632960083", "+44 (1632) 96-00-83", "+44.1632.960083"})
    EXPECT_EQ(Canonical(kE164, text), "441632960083");
  EXPECT_EQ(Canonical(kE164, "112"), "112");
  EXPECT_EQ(Canonical(kE164, "123456789012345"), "123456789012345");
}

TEST(StructuredIdTest, TelephoneNumbersSayWhatIsWrong) {
  EXPECT_EQ(Met(kE164, "+44 (0) 1632 960083"), "a trunk prefix in parentheses");
  EXPECT_EQ(Met(kE164, "01632 960083"), "0 in front");
  EXPECT_EQ(Met(kE164, "1234567890123456"), "16 digits");
  EXPECT_EQ(Met(kE164, "+1"), "1 digits");
  EXPECT_EQ(Met(kE164, "44+1632"), "character \"+\" at position 3");
  EXPECT_EQ(Met(kE164, "441632x960083"), "character \"x\" at position 7");
}

TEST(StructuredIdTest, CanonicalTextIsItsOwnCanonicalText) {
  const std::pair<SubjectForm, const char*> texts[] = {{kDigits, "0012"},
                                                       {kNibbles, "AB"},
                                                       {kEui48, "AC-DE-48-23-45-67"},
                                                       {kEui64, "AC:DE:48:23:45:67:AB:CD"},
                                                       {kImei, "490154203237518"},
                                                       {kGs1, "(01)4006381333931(21)X-9"},
                                                       {kE164, "+44 (1632) 960083"}};
  for (const auto& [form, text] : texts) {
    const std::string once = CanonicalStructuredId(form, text).value();
    EXPECT_EQ(CanonicalStructuredId(form, once).value(), once);
  }
}

}  // namespace
}  // namespace idzone::identity
