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
    case Reason::kKeyTokenUnavailable:
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
    case Reason::kIdMalformed:
      return "Use an id of the namespace's kind: letters, digits, hyphens and inner underscores, or what its layout's form says.";
    case Reason::kIdNotCarriedByLayout: return "Use an id that its layout can carry, or a shorter one.";
    case Reason::kZoneApexForbidden:
      return "Namespaces are called _device.<domain>, _user.<domain>, _<service>.<host>, _openpgpkey.<domain> or _smimecert.<domain>.";
    case Reason::kMaterialMissing: return "Give a certificate, a certificate request, a public key, an SSH key or an OpenPGP key.";
    case Reason::kMaterialMalformed:
    case Reason::kMaterialTrailingBytes: return "Give exactly one object, without anything after it.";
    case Reason::kMaterialWrongKind:
      return "Use the option that names what the file holds: --certificate, --csr, --public-key, --ssh-key or --openpgp-key.";
    case Reason::kKeyTooWeak: return "Use RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519 or Ed448.";
    case Reason::kProfileNeedsCertificate: return "Give the certificate itself: this namespace publishes digests of certificates.";
    case Reason::kKeyConflict: return "Keep the enrolled key, add the new one beside it (add-key), or enroll it under another id.";
    case Reason::kKeyAlreadyBound: return "Make a key of its own for each identity.";
    case Reason::kIdentityRevoked: return "Use a new id and a new key, or let a re-enroller enroll it again (re-enroll) with a new key.";
    case Reason::kKeyRevoked: return "Revocation is for ever: make a new key.";
    case Reason::kNameInQuarantine: return "Wait until then, or use a new id; nothing shortens it.";
    case Reason::kIdentityNotRevoked: return "Add a key beside the old one (add-key), or revoke the identity first.";
    case Reason::kCertificateNotCa: return "Give the certificate of the CA itself: basicConstraints CA, keyUsage keyCertSign.";
    case Reason::kNamespaceKindMismatch: return "See what the namespace is for: idzone namespace show.";
    case Reason::kLabelConflict: return "It is enrolled already: use the label privacy that it has.";
    case Reason::kIdIsDenialLabel: return "Use another id.";
    case Reason::kLastKey: return "Add the next key first (add-key), or revoke the identity.";
    case Reason::kNamespaceNotReady: return "Wait until the signer is done (idzone namespace show, idzone key status), then try again.";
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
