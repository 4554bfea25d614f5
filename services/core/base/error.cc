// SPDX-License-Identifier: MIT
#include "services/core/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace idzone {

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kInternal: return "INTERNAL";
    case Reason::kUnavailable: return "UNAVAILABLE";
    case Reason::kDeadline: return "DEADLINE";
    case Reason::kCancelled: return "CANCELLED";
    case Reason::kLimitExceeded: return "LIMIT_EXCEEDED";
    case Reason::kUnknownField: return "UNKNOWN_FIELD";
    case Reason::kNameMalformed: return "NAME_MALFORMED";
    case Reason::kNameOutsideSuffix: return "NAME_OUTSIDE_SUFFIX";
    case Reason::kIdMalformed: return "ID_MALFORMED";
    case Reason::kIdNotCarriedByLayout: return "ID_NOT_CARRIED_BY_LAYOUT";
    case Reason::kZoneApexForbidden: return "ZONE_APEX_FORBIDDEN";
    case Reason::kMaterialMissing: return "MATERIAL_MISSING";
    case Reason::kMaterialMalformed: return "MATERIAL_MALFORMED";
    case Reason::kMaterialTrailingBytes: return "MATERIAL_TRAILING_BYTES";
    case Reason::kMaterialWrongKind: return "MATERIAL_WRONG_KIND";
    case Reason::kKeyTooWeak: return "KEY_TOO_WEAK";
    case Reason::kKeyUnsupported: return "KEY_UNSUPPORTED";
    case Reason::kProofMismatch: return "PROOF_MISMATCH";
    case Reason::kProfileNeedsCertificate: return "PROFILE_NEEDS_CERTIFICATE";
    case Reason::kRecordMalformed: return "RECORD_MALFORMED";
    case Reason::kRecordTypeForbidden: return "RECORD_TYPE_FORBIDDEN";
    case Reason::kCertificateNotCa: return "CERTIFICATE_NOT_CA";
    case Reason::kEnumUnknown: return "ENUM_UNKNOWN";
    case Reason::kValueOutOfRange: return "VALUE_OUT_OF_RANGE";
    case Reason::kValueMissing: return "VALUE_MISSING";
    case Reason::kPageTokenInvalid: return "PAGE_TOKEN_INVALID";
    case Reason::kValueMalformed: return "VALUE_MALFORMED";
    case Reason::kNotFound: return "NOT_FOUND";
    case Reason::kAlreadyExists: return "ALREADY_EXISTS";
    case Reason::kKeyConflict: return "KEY_CONFLICT";
    case Reason::kKeyAlreadyBound: return "KEY_ALREADY_BOUND";
    case Reason::kIdentityRevoked: return "IDENTITY_REVOKED";
    case Reason::kKeyRevoked: return "KEY_REVOKED";
    case Reason::kNamespaceNotReady: return "NAMESPACE_NOT_READY";
    case Reason::kNamespaceKindMismatch: return "NAMESPACE_KIND_MISMATCH";
    case Reason::kLabelConflict: return "LABEL_CONFLICT";
    case Reason::kIdIsDenialLabel: return "ID_IS_DENIAL_LABEL";
    case Reason::kLastKey: return "LAST_KEY";
    case Reason::kNameInQuarantine: return "NAME_IN_QUARANTINE";
    case Reason::kIdentityNotRevoked: return "IDENTITY_NOT_REVOKED";
    case Reason::kCertificateMissing: return "CERTIFICATE_MISSING";
    case Reason::kCertificateExpired: return "CERTIFICATE_EXPIRED";
    case Reason::kCertificateUntrusted: return "CERTIFICATE_UNTRUSTED";
    case Reason::kPrincipalUnknown: return "PRINCIPAL_UNKNOWN";
    case Reason::kPrincipalDisabled: return "PRINCIPAL_DISABLED";
    case Reason::kRoleMissing: return "ROLE_MISSING";
    case Reason::kNamespaceForeign: return "NAMESPACE_FOREIGN";
    case Reason::kSignatureInvalid: return "SIGNATURE_INVALID";
    case Reason::kKeyNotPinned: return "KEY_NOT_PINNED";
    case Reason::kVersionGap: return "VERSION_GAP";
    case Reason::kDigestMismatch: return "DIGEST_MISMATCH";
    case Reason::kEncodingMalformed: return "ENCODING_MALFORMED";
    case Reason::kKeyFileInvalid: return "KEY_FILE_INVALID";
    case Reason::kSchemaMismatch: return "SCHEMA_MISMATCH";
    case Reason::kClockDoubt: return "CLOCK_DOUBT";
    case Reason::kKeyTokenUnavailable: return "KEY_TOKEN_UNAVAILABLE";
  }
  return "INTERNAL";
}

std::string Error::Detail() const {
  std::string text = subject;
  if (!expected.empty()) text += (text.empty() ? "expected " : ": expected ") + expected;
  if (!met.empty()) text += (text.empty() ? "met " : (expected.empty() ? ": " : ", met ")) + met;
  return text;
}

void InvariantBroken(std::string_view sentence, const char* file, int line) {
  std::fprintf(stderr, "invariant broken: %.*s (%s:%d)\n", static_cast<int>(sentence.size()), sentence.data(), file, line);
  std::abort();
}

}  // namespace idzone
