// SPDX-License-Identifier: MIT
#include "services/core/identity/subject.h"

#include <algorithm>

#include "services/core/base/limits.h"
#include "services/core/identity/printable.h"
#include "services/core/identity/structured_id.h"

namespace idzone::identity {
namespace {

constexpr std::string_view kLabelExpected = "1 to 63 letters, digits, hyphens or underscores, no hyphen at an end, no underscore in front";
constexpr std::string_view kOpaqueExpected = "1 to 200 octets of printable UTF-8 without space at an end";
constexpr std::string_view kMailboxExpected = "a local part of 1 to 64 octets of UTF-8 without @, space, control characters and quoting";

tl::unexpected<Error> Refuse(std::string_view expected, std::string met) {
  return Fail(Reason::kIdMalformed, "id", std::string(expected), std::move(met));
}

bool IsAllowedInLabel(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

Result<std::string> CanonicalLabel(std::string_view text) {
  std::string lower = AsciiLower(text);
  const bool sized = !lower.empty() && lower.size() <= limits::kLabelOctetsMax;
  // Labels with an underscore in front belong to protocols: `_acme-challenge` and its like must never be enrolled.
  if (!sized || !std::all_of(lower.begin(), lower.end(), IsAllowedInLabel) || lower.front() == '-' || lower.back() == '-' ||
      lower.front() == '_')
    return Refuse(kLabelExpected, Shown(text));
  return lower;
}

Result<std::string> CanonicalOpaque(std::string_view text) {
  if (text.empty() || text.size() > limits::kOpaqueIdOctetsMax) return Refuse(kOpaqueExpected, std::to_string(text.size()) + " octets");
  if (const auto wrong = FindUnprintable(text)) return Refuse(kOpaqueExpected, *wrong);
  if (text.front() == ' ' || text.back() == ' ') return Refuse(kOpaqueExpected, "a space at an end");
  return std::string(text);
}

Result<std::string> CanonicalMailbox(std::string_view text) {
  // RFC 5321 §4.5.3.1.1.
  if (text.empty() || text.size() > limits::kLocalPartOctetsMax) return Refuse(kMailboxExpected, std::to_string(text.size()) + " octets");
  if (const auto wrong = FindUnprintable(text)) return Refuse(kMailboxExpected, *wrong);
  // RFC 7929 §3: what is hashed has neither the enclosing quotes nor the backslashes of a quoted local part.
  const std::size_t wrong = text.find_first_of("@ \"\\");
  if (wrong != std::string_view::npos)
    return Refuse(kMailboxExpected, std::string("character ") + text[wrong] + " at position " + std::to_string(wrong + 1));
  return std::string(text);
}

Result<std::string> Canonical(SubjectForm form, std::string_view text) {
  switch (form) {
    case SubjectForm::kLabel: return CanonicalLabel(text);
    case SubjectForm::kOpaque: return CanonicalOpaque(text);
    case SubjectForm::kUser: return CanonicalOpaque(text).map([](const std::string& user) { return AsciiLower(user); });
    case SubjectForm::kMailbox: return CanonicalMailbox(text);
    case SubjectForm::kApex:
      if (text != "@") return Refuse("@, for the namespace is one service's", Shown(text));
      return std::string(text);
    default: return CanonicalStructuredId(form, text);
  }
}

}  // namespace

Result<Subject> Subject::Parse(SubjectForm form, std::string_view text) {
  return Canonical(form, text).map([form](std::string canonical) { return Subject(form, std::move(canonical)); });
}

IdentityId MakeIdentityId(OctetsView namespace_wire, const Subject& subject) {
  // The wire name ends with its root label, so the boundary between the two parts is unambiguous.
  return Sha256(Octets(namespace_wire) + subject.text()).substr(0, kIdentityIdOctets);
}

}  // namespace idzone::identity
