// SPDX-License-Identifier: MIT
#include "services/core/identity/subject.h"

#include <gtest/gtest.h>

namespace idzone::identity {
namespace {

TEST(SubjectTest, KeepsLettersDigitsHyphensAndUnderscoresInLowerCase) {
  EXPECT_EQ(Subject::Parse(SubjectForm::kLabel, "Sensor-7_b").value().text(), "sensor-7_b");
  EXPECT_TRUE(Subject::Parse(SubjectForm::kLabel, std::string(63, 'a')).has_value());
}

TEST(SubjectTest, RefusesWhatIsNotOneHarmlessLabel) {
  for (const std::string& text :
       {std::string(), std::string(64, 'a'), std::string("a.b"), std::string("-a"), std::string("a-"), std::string("_acme-challenge"),
        std::string("a b"), std::string("é"), std::string("a\0b", 3), std::string("*"), std::string("a\\.b")}) {
    const auto id = Subject::Parse(SubjectForm::kLabel, text);
    ASSERT_FALSE(id.has_value()) << text;
    EXPECT_EQ(id.error().reason, Reason::kIdMalformed);
    EXPECT_EQ(id.error().subject, "id");
  }
}

std::string MetBy(SubjectForm form, const std::string& text) {
  const auto subject = Subject::Parse(form, text);
  EXPECT_FALSE(subject.has_value()) << text;
  if (subject) return "";
  EXPECT_EQ(subject.error().reason, Reason::kIdMalformed);
  return subject.error().met;
}

TEST(SubjectTest, OpaqueIdsAreKeptAsWritten) {
  for (const std::string& text :
       {std::string("Zähler 7/2"), std::string("A"), std::string(200, 'x'), std::string("日本"), std::string("𝄞")})
    EXPECT_EQ(Subject::Parse(SubjectForm::kOpaque, text).value().text(), text);
}

TEST(SubjectTest, OpaqueIdsArePrintableUtf8) {
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, ""), "0 octets");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, std::string(201, 'x')), "201 octets");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, "a\tb"), "control character U+0009 at octet 2");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, std::string("a\0b", 3)), "control character U+0000 at octet 2");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, "a\x7f"), "control character U+007F at octet 2");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, "\xc2\x85"), "control character U+0085 at octet 1");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, "ab\xe2\x80\x8b"), "invisible character U+200B at octet 3");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, " a"), "a space at an end");
  EXPECT_EQ(MetBy(SubjectForm::kOpaque, "a "), "a space at an end");
}

// RFC 3629 §3 and §10: overlong forms, surrogates, values beyond U+10FFFF, lone and missing continuation octets.
TEST(SubjectTest, RefusesWhatIsNoUtf8) {
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf8\x88\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3\x28", "\xf0\x9d\x84"})
    EXPECT_EQ(MetBy(SubjectForm::kOpaque, text), "no UTF-8 at octet 1") << text;
}

TEST(SubjectTest, UserNamesCompareWithoutAsciiCase) {
  EXPECT_EQ(Subject::Parse(SubjectForm::kUser, "Alice@Acme.Example").value().text(), "alice@acme.example");
  EXPECT_EQ(Subject::Parse(SubjectForm::kUser, "ÄB").value().text(), "Äb");
}

TEST(SubjectTest, AServiceHasNoOtherIdThanTheApex) {
  EXPECT_EQ(Subject::Parse(SubjectForm::kApex, "@").value().text(), "@");
  EXPECT_EQ(MetBy(SubjectForm::kApex, "smtp"), "\"smtp\"");
}

TEST(SubjectTest, MailboxesAreLocalPartsWithTheirCase) {
  EXPECT_EQ(Subject::Parse(SubjectForm::kMailbox, "Hugh.O'Neil+list").value().text(), "Hugh.O'Neil+list");
  EXPECT_EQ(Subject::Parse(SubjectForm::kMailbox, "jörg").value().text(), "jörg");
  EXPECT_EQ(MetBy(SubjectForm::kMailbox, "hugh@example.com"), "character @ at position 5");
  EXPECT_EQ(MetBy(SubjectForm::kMailbox, "a b"), "character   at position 2");
  EXPECT_EQ(MetBy(SubjectForm::kMailbox, "\"a\""), "character \" at position 1");
  EXPECT_EQ(MetBy(SubjectForm::kMailbox, std::string(65, 'a')), "65 octets");
}

TEST(SubjectTest, IdentityDependsOnNamespaceAndId) {
  const auto id = Subject::Parse(SubjectForm::kLabel, "a").value();
  EXPECT_EQ(MakeIdentityId("n", id).size(), kIdentityIdOctets);
  EXPECT_EQ(MakeIdentityId("n", id), MakeIdentityId("n", Subject::Parse(SubjectForm::kLabel, "A").value()));
  EXPECT_NE(MakeIdentityId("n", id), MakeIdentityId("m", id));
}

}  // namespace
}  // namespace idzone::identity
