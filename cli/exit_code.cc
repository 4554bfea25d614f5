// SPDX-License-Identifier: MIT
#include "cli/exit_code.h"

namespace idzone::cli {

ExitCode ExitCodeOf(Reason reason) {
  switch (reason) {
    case Reason::kUnavailable:
    case Reason::kDeadline: return ExitCode::kUnreachable;
    case Reason::kCertificateMissing:
    case Reason::kCertificateExpired:
    case Reason::kCertificateUntrusted:
    case Reason::kPrincipalUnknown:
    case Reason::kPrincipalDisabled:
    case Reason::kRoleMissing:
    case Reason::kNamespaceForeign: return ExitCode::kNotAllowed;
    case Reason::kInternal:
    case Reason::kCancelled:
    case Reason::kSignatureInvalid:
    case Reason::kKeyNotPinned:
    case Reason::kVersionGap:
    case Reason::kDigestMismatch:
    case Reason::kEncodingMalformed:
    case Reason::kKeyFileInvalid:
    case Reason::kSchemaMismatch:
    case Reason::kClockDoubt: return ExitCode::kOther;
    default: return ExitCode::kRefused;
  }
}

std::string_view Advice(Reason reason) {
  switch (reason) {
    case Reason::kUnavailable:
      return "Check that idzone-provisiond runs, that --server names it, and that --tls-ca and the client certificate are right; then try "
             "again.";
    case Reason::kDeadline: return "Try again; --timeout SECONDS waits longer.";
    case Reason::kIdMalformed: return "Use letters, digits, hyphens and inner underscores, at most 63 of them.";
    case Reason::kIdNotCarriedByLayout: return "Use a shorter id.";
    case Reason::kZoneApexForbidden: return "A device namespace is called _device.<your domain>.";
    case Reason::kMaterialMissing: return "Give a certificate, a certificate request or a public key.";
    case Reason::kMaterialMalformed:
    case Reason::kMaterialTrailingBytes: return "Give exactly one object, PEM or DER, without anything after it.";
    case Reason::kMaterialWrongKind: return "Use the option that names what the file holds: --certificate, --csr or --public-key.";
    case Reason::kKeyTooWeak: return "Use RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519 or Ed448.";
    case Reason::kProfileNeedsCertificate: return "Give the certificate itself: this namespace publishes digests of certificates.";
    case Reason::kKeyConflict: return "Keep the enrolled key, or enroll the new one under another id.";
    case Reason::kKeyAlreadyBound: return "Make a key of its own for each device.";
    case Reason::kIdentityRevoked: return "Revocation is for ever: give the device a new id and a new key.";
    case Reason::kKeyRevoked: return "Revocation is for ever: make a new key.";
    case Reason::kNamespaceNotReady: return "Wait until the signer has made the zone (idzone namespace show), then try again.";
    case Reason::kCertificateMissing: return "Give --tls-certificate and --tls-key.";
    case Reason::kCertificateExpired: return "Renew the client certificate; a new one of the same key keeps its rights.";
    case Reason::kCertificateUntrusted: return "Use a client certificate that the server's client CA has issued.";
    case Reason::kPrincipalUnknown: return "Ask an admin to run: idzone principal create.";
    case Reason::kPrincipalDisabled: return "Ask an admin for a principal with a new key.";
    case Reason::kRoleMissing: return "Call with a certificate of the role that the operation needs.";
    case Reason::kNamespaceForeign: return "Call with a certificate of the namespace's operator.";
    default: return {};
  }
}

}  // namespace idzone::cli
