// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

/// Expected failures are values: a function that can fail returns Result<T>.
/// Exceptions live only at the libraries that throw and are converted there.
namespace idzone {

/// Why a request was refused. The numbers travel on the wire and are never reused;
/// the spelling that clients see is ReasonName().
enum class Reason : std::uint16_t {
  kInternal = 1,
  kUnavailable = 2,
  kDeadline = 3,
  kCancelled = 4,
  kLimitExceeded = 5,  // a size, a count, a queue: the limit is in `expected`
  kUnknownField = 6,

  // Names and identifiers.
  kNameMalformed = 20,
  kNameOutsideSuffix = 21,
  kIdMalformed = 22,
  kIdNotCarriedByLayout = 23,
  kZoneApexForbidden = 24,

  // Key material and records.
  kMaterialMissing = 40,
  kMaterialMalformed = 41,
  kMaterialTrailingBytes = 42,
  kMaterialWrongKind = 43,
  kKeyTooWeak = 44,
  kKeyUnsupported = 45,
  kProofMismatch = 46,
  kProfileNeedsCertificate = 47,
  kRecordMalformed = 48,
  kRecordTypeForbidden = 49,
  kCertificateNotCa = 50,

  // Arguments.
  kEnumUnknown = 60,
  kValueOutOfRange = 61,
  kValueMissing = 62,
  kPageTokenInvalid = 63,
  kValueMalformed = 64,

  // State of the registry.
  kNotFound = 80,
  kAlreadyExists = 81,
  kKeyConflict = 82,      // same identity, another key: both fingerprints are in the detail
  kKeyAlreadyBound = 83,  // same key, another identity
  kIdentityRevoked = 84,  // for ever, also for the old key
  kKeyRevoked = 85,
  kNamespaceNotReady = 86,
  kNamespaceKindMismatch = 87,  // the namespace publishes other things than this
  kLabelConflict = 88,          // enrolled with the other label privacy
  kIdIsDenialLabel = 89,        // the id is the NSEC3 label of another name
  kLastKey = 90,                // an identity keeps one key; to end it, revoke it
  kNameInQuarantine = 91,       // its old record may still be believed somewhere
  kIdentityNotRevoked = 92,     // it lives, with another key

  // Callers.
  kCertificateMissing = 100,
  kCertificateExpired = 101,
  kCertificateUntrusted = 102,
  kPrincipalUnknown = 103,
  kPrincipalDisabled = 104,
  kRoleMissing = 105,
  kNamespaceForeign = 106,

  // Signing, versions, replicas.
  kSignatureInvalid = 120,
  kKeyNotPinned = 121,
  kVersionGap = 122,
  kDigestMismatch = 123,
  kEncodingMalformed = 124,
  kKeyFileInvalid = 125,
  kSchemaMismatch = 126,
  kClockDoubt = 127,
  kKeyTokenUnavailable = 128,  // a PKCS #11 token that is gone, locked, full or ill
};

/// Returns the UPPER_SNAKE spelling, for example "KEY_TOO_WEAK".
std::string_view ReasonName(Reason reason);

/// One refusal: what object or field, what was expected there and what came.
/// None of the texts holds a secret or an internal of the server.
struct Error {
  Reason reason = Reason::kInternal;
  std::string subject;   // the field or object, for example "certificate" or "zone acme.example."
  std::string expected;  // what would have been right
  std::string met;       // what came instead

  /// Returns "subject: expected …, met …", one line.
  std::string Detail() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(Reason reason, std::string subject, std::string expected, std::string met) {
  return tl::unexpected<Error>(Error{reason, std::move(subject), std::move(expected), std::move(met)});
}

/// Ends the process with a sentence: a broken invariant is not an error.
[[noreturn]] void InvariantBroken(std::string_view sentence, const char* file, int line);

}  // namespace idzone

/// Asserts an invariant, in release builds too.
#define IDZONE_INVARIANT(condition, sentence) \
  ((condition) ? static_cast<void>(0) : ::idzone::InvariantBroken((sentence), __FILE__, __LINE__))
