// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "services/core/base/octets.h"
#include "services/core/identity/subject.h"

/// Ids with a structure of their own, each checked for its alphabet, length and check digit. The canonical text is one
/// spelling of all that are accepted, so that one thing is one identity:
///   kDigits   1 to 64 decimal digits
///   kNibbles  1 to 64 hexadecimal digits, lower case
///   kEui48    12 hexadecimal digits, lower case. Accepted: `:`, `-` or `.` between groups of one size ("00-1B-44-11-3a-b7")
///   kEui64    16, likewise
///   kImei     15 decimal digits, the last a Luhn check digit (3GPP TS 23.003 annex B)
///   kGs1      a GTIN in 14 digits, then `.` and a serial when there is one: "09506000134352.a1". Accepted: GTIN-8, -12 and -13
///             (zeros are put in front), and "(01)09506000134352(21)A1" (GS1 General Specifications, application identifiers)
///   kE164     3 to 15 decimal digits, not 0 in front. Accepted: `+` in front; spaces, hyphens, dots and parentheses between
namespace idzone::identity {

/// Returns the canonical text. ID_MALFORMED says which character, length or check digit is wrong.
/// Requires: one of the forms above.
Result<std::string> CanonicalStructuredId(SubjectForm form, std::string_view text);

/// Returns the digit that makes a payload of decimal digits whole: Luhn (ISO/IEC 7812-1 annex B), as IMEI uses it.
char LuhnCheckDigit(std::string_view payload);
/// The same for GS1's keys: weights 3 and 1 alternate, the last digit of the payload has 3.
char Gs1CheckDigit(std::string_view payload);

}  // namespace idzone::identity
