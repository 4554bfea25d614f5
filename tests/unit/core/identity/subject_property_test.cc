// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "services/core/identity/structured_id.h"
#include "services/core/identity/subject.h"

namespace idzone::identity {
namespace {

using enum SubjectForm;

const std::vector<SubjectForm> kForms = {kLabel, kOpaque, kUser, kApex, kMailbox, kDigits, kNibbles, kEui48, kEui64, kImei, kGs1, kE164};

std::string DigitsOf(std::size_t count) {
  return *rc::gen::container<std::string>(count, rc::gen::inRange('0', static_cast<char>('9' + 1)));
}

RC_GTEST_PROP(SubjectProperty, CanonicalTextIsItsOwnCanonicalText, ()) {
  const auto form = *rc::gen::elementOf(kForms);
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789abcdefAB:-.+@() _\xc3\xa9\x01(21)")));
  const auto once = Subject::Parse(form, text);
  if (once) RC_ASSERT(Subject::Parse(form, once->text()).value() == *once);
}

RC_GTEST_PROP(SubjectProperty, ExactlyOneCheckDigitIsRight, ()) {
  const std::string imei = DigitsOf(14);
  const std::string gtin = DigitsOf(*rc::gen::element<std::size_t>(7, 11, 12, 13));
  int imeis = 0;
  int gtins = 0;
  for (char digit = '0'; digit <= '9'; ++digit) {
    imeis += CanonicalStructuredId(kImei, imei + digit).has_value() ? 1 : 0;
    gtins += CanonicalStructuredId(kGs1, gtin + digit).has_value() ? 1 : 0;
  }
  RC_ASSERT(imeis == 1);
  RC_ASSERT(gtins == 1);
}

}  // namespace
}  // namespace idzone::identity
