// SPDX-License-Identifier: MIT
#include "services/core/identity/structured_id.h"

#include "services/core/base/limits.h"
#include "services/core/identity/printable.h"

namespace idzone::identity {
namespace {

constexpr std::size_t kImeiDigits = 15;
constexpr std::size_t kGtinDigits = 14;
constexpr std::size_t kGs1SerialMax = 20;
constexpr std::size_t kE164DigitsMin = 3;
constexpr std::size_t kE164DigitsMax = 15;

constexpr std::string_view kGs1Expected =
    "a GTIN of 8, 12, 13 or 14 digits, then nothing, \".\" and a serial, or \"(21)\" and a serial behind \"(01)\"";
constexpr std::string_view kSerialExpected =
    "a serial of 1 to 20 letters, digits, hyphens or underscores, no hyphen at an end, no underscore in front";
constexpr std::string_view kE164Expected = "a telephone number of 3 to 15 digits, not beginning with 0";

using Alphabet = bool (*)(char);

bool IsDecimal(char c) {
  return c >= '0' && c <= '9';
}
bool IsHexadecimal(char c) {
  return IsDecimal(c) || (c >= 'a' && c <= 'f');
}
bool IsSerial(char c) {
  return IsDecimal(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

tl::unexpected<Error> Refuse(std::string_view expected, std::string met) {
  return Fail(Reason::kIdMalformed, "id", std::string(expected), std::move(met));
}

tl::unexpected<Error> RefuseCharacter(std::string_view expected, std::string_view text, std::size_t at) {
  return Refuse(expected, "character " + Shown(text.substr(at, 1)) + " at position " + std::to_string(at + 1));
}

/// Checks characters first: the first wrong one says more than a count.
Result<void> CheckCharacters(std::string_view expected, std::string_view text, Alphabet allowed) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!allowed(text[at])) return RefuseCharacter(expected, text, at);
  }
  return {};
}

Result<void> CheckRun(std::string_view expected, std::string_view text, Alphabet allowed, std::size_t min, std::size_t max) {
  if (text.size() > limits::kOpaqueIdOctetsMax) return Refuse(expected, std::to_string(text.size()) + " characters");
  if (auto checked = CheckCharacters(expected, text, allowed); !checked) return checked;
  if (text.size() < min || text.size() > max) return Refuse(expected, std::to_string(text.size()) + " of them");
  return {};
}

Result<void> CheckCheckDigit(std::string_view expected, std::string_view digits, char (*check)(std::string_view)) {
  const char right = check(digits.substr(0, digits.size() - 1));
  if (digits.back() == right) return {};
  return Refuse(expected, std::string("check digit ") + digits.back() + "; " + right + " would be right");
}

Result<std::string> CanonicalRun(std::string_view text, std::string_view expected, Alphabet allowed) {
  std::string lower = AsciiLower(text);
  if (auto checked = CheckRun(expected, lower, allowed, 1, limits::kEnumDigitsMax); !checked) return tl::unexpected(checked.error());
  return lower;
}

/// Reads hexadecimal digits in groups of one size with one kind of separator, or without any.
Result<std::string> CanonicalEui(std::string_view text, std::size_t digits) {
  const std::string expected = std::to_string(digits) + " hexadecimal digits, with \":\", \"-\" or \".\" between groups of one size";
  if (text.size() > 2 * digits) return Refuse(expected, std::to_string(text.size()) + " characters");
  const std::size_t first = text.find_first_of(":-.");
  const std::size_t group = first == std::string_view::npos ? digits : first;
  std::string canonical;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool separates = group < digits && at % (group + 1) == group;
    const char c = AsciiLower(text.substr(at, 1)).front();
    if (separates ? c != text[first] : !IsHexadecimal(c)) return RefuseCharacter(expected, text, at);
    if (!separates) canonical.push_back(c);
  }
  if (!text.empty() && text.find_last_of(":-.") == text.size() - 1) return RefuseCharacter(expected, text, text.size() - 1);
  if (canonical.size() != digits || digits % group != 0)
    return Refuse(expected, std::to_string(canonical.size()) + " digits in groups of " + std::to_string(group));
  return canonical;
}

Result<std::string> CanonicalImei(std::string_view text) {
  constexpr std::string_view kExpected = "15 decimal digits, the last one their check digit";
  if (auto checked = CheckRun(kExpected, text, IsDecimal, kImeiDigits, kImeiDigits); !checked) return tl::unexpected(checked.error());
  if (auto checked = CheckCheckDigit(kExpected, text, LuhnCheckDigit); !checked) return tl::unexpected(checked.error());
  return std::string(text);
}

Result<std::string> CanonicalGtin(std::string_view text) {
  if (auto checked = CheckRun(kGs1Expected, text, IsDecimal, 8, kGtinDigits); !checked) return tl::unexpected(checked.error());
  if (text.size() != 8 && text.size() < 12) return Refuse(kGs1Expected, std::to_string(text.size()) + " digits");
  if (auto checked = CheckCheckDigit("a GTIN with its check digit", text, Gs1CheckDigit); !checked) return tl::unexpected(checked.error());
  // Zeros in front do not change the check digit: weights count from the right.
  return std::string(kGtinDigits - text.size(), '0') + std::string(text);
}

Result<std::string> CanonicalSerial(std::string_view text) {
  std::string lower = AsciiLower(text);
  if (auto checked = CheckRun(kSerialExpected, lower, IsSerial, 1, kGs1SerialMax); !checked) return tl::unexpected(checked.error());
  // It becomes a label: as for other labels, none that a protocol owns.
  if (lower.front() == '-' || lower.back() == '-' || lower.front() == '_') return Refuse(kSerialExpected, Shown(text));
  return lower;
}

Result<std::string> CanonicalGs1(std::string_view text) {
  constexpr std::string_view kGtinIdentifier = "(01)";
  constexpr std::string_view kSerialIdentifier = "(21)";
  const bool identified = text.substr(0, kGtinIdentifier.size()) == kGtinIdentifier;
  const std::string_view separator = identified ? kSerialIdentifier : ".";
  const std::string_view body = identified ? text.substr(kGtinIdentifier.size()) : text;
  const std::size_t split = body.find(separator);
  auto gtin = CanonicalGtin(body.substr(0, split));
  if (!gtin || split == std::string_view::npos) return gtin;
  const auto serial = CanonicalSerial(body.substr(split + separator.size()));
  if (!serial) return tl::unexpected(serial.error());
  return *gtin + "." + *serial;
}

Result<std::string> CanonicalE164(std::string_view text) {
  if (text.size() > limits::kOpaqueIdOctetsMax) return Refuse(kE164Expected, std::to_string(text.size()) + " characters");
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    // "+44 (0) 1632 960083" is read to people; the 0 is dialled inside the country alone and no part of the number.
    if (c == '(' && text.substr(at + 1, 1) == "0") return Refuse(kE164Expected, "a trunk prefix in parentheses");
    const bool between = c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || (c == '+' && at == 0);
    if (!IsDecimal(c) && !between) return RefuseCharacter(kE164Expected, text, at);
    if (IsDecimal(c)) digits.push_back(c);
  }
  if (digits.size() < kE164DigitsMin || digits.size() > kE164DigitsMax)
    return Refuse(kE164Expected, std::to_string(digits.size()) + " digits");
  if (digits.front() == '0') return Refuse(kE164Expected, "0 in front");
  return digits;
}

int ValueOf(char digit) {
  return digit - '0';
}

}  // namespace

char LuhnCheckDigit(std::string_view payload) {
  int sum = 0;
  bool doubled = true;
  for (auto digit = payload.rbegin(); digit != payload.rend(); ++digit, doubled = !doubled) {
    const int value = ValueOf(*digit) * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

char Gs1CheckDigit(std::string_view payload) {
  int sum = 0;
  int weight = 3;
  for (auto digit = payload.rbegin(); digit != payload.rend(); ++digit, weight = 4 - weight) sum += ValueOf(*digit) * weight;
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

Result<std::string> CanonicalStructuredId(SubjectForm form, std::string_view text) {
  switch (form) {
    case SubjectForm::kDigits: return CanonicalRun(text, "1 to 64 decimal digits", IsDecimal);
    case SubjectForm::kNibbles: return CanonicalRun(text, "1 to 64 hexadecimal digits", IsHexadecimal);
    case SubjectForm::kEui48: return CanonicalEui(text, 12);
    case SubjectForm::kEui64: return CanonicalEui(text, 16);
    case SubjectForm::kImei: return CanonicalImei(text);
    case SubjectForm::kGs1: return CanonicalGs1(text);
    case SubjectForm::kE164: return CanonicalE164(text);
    default: InvariantBroken("a structured id has one of the seven forms", __FILE__, __LINE__);
  }
}

}  // namespace idzone::identity
