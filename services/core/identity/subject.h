// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/core/base/octets.h"

namespace idzone::identity {

/// What the ids of a namespace are. One form a namespace, so that an id has one canonical text and is one identity.
/// The numbers are not stored.
enum class SubjectForm : std::uint8_t {
  kLabel,    // one DNS label of letters, digits, hyphens and inner underscores, lower case (draft-ietf-dance-client-auth)
  kOpaque,   // 1 to 200 octets of printable UTF-8, as written: serial numbers may differ in case alone
  kUser,     // the same with ASCII letters in lower case, as user names compare
  kApex,     // "@": the namespace holds one identity, at its apex
  kMailbox,  // a mailbox's local part, as written: RFC 7929 §3 and RFC 8162 §3 hash it without changing its case
  kDigits,   // this and the rest: structured_id.h
  kNibbles,
  kEui48,
  kEui64,
  kImei,
  kGs1,
  kE164,
};

/// An identity's identifier inside its namespace, canonical: parsing a subject's text again gives the same subject.
/// Limits: Unicode is not normalised, so two spellings of `é` are two subjects.
class Subject {
 public:
  /// ID_MALFORMED says what the form wants and which character, length or check digit is wrong.
  static Result<Subject> Parse(SubjectForm form, std::string_view text);

  SubjectForm form() const { return form_; }
  const std::string& text() const { return text_; }
  friend bool operator==(const Subject&, const Subject&) = default;

 private:
  Subject(SubjectForm form, std::string text) : form_(form), text_(std::move(text)) {}
  SubjectForm form_;
  std::string text_;
};

/// The natural key of an identity: the first 16 octets of SHA-256(namespace wire name, 0x00-free by construction of
/// a wire name, then the subject's text). Two enrollments of one identity meet in it.
using IdentityId = Octets;
inline constexpr std::size_t kIdentityIdOctets = 16;
IdentityId MakeIdentityId(OctetsView namespace_wire, const Subject& subject);

}  // namespace idzone::identity
