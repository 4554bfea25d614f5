// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "services/core/base/octets.h"

namespace idzone::identity {

/// What the caller says that he sends. The numbers are not stored.
enum class MaterialKind { kCertificate, kCertificateRequest, kPublicKey };

/// The public key of a device, taken from a certificate (RFC 5280), a certification request whose own signature proves
/// possession (RFC 2986), or a bare SubjectPublicKeyInfo (RFC 7250). Only strong keys of known kinds become one.
/// Expiry, names and issuer of a certificate are not looked at: with usage 3 they mean nothing (RFC 7671 §5.1).
class KeyMaterial {
 public:
  /// Reads PEM or DER of exactly one object of that kind.
  /// MATERIAL_MISSING, MATERIAL_MALFORMED, MATERIAL_TRAILING_BYTES, MATERIAL_WRONG_KIND (a PEM label, or DER, of
  /// another kind), LIMIT_EXCEEDED (16 KiB), PROOF_MISMATCH (a request not signed by its key), KEY_TOO_WEAK
  /// (RSA under 2048 bits or with a small exponent), KEY_UNSUPPORTED (not RSA, P-256, P-384, P-521, Ed25519, Ed448).
  static Result<KeyMaterial> Parse(MaterialKind kind, OctetsView octets);

  /// Returns the DER SubjectPublicKeyInfo.
  const Octets& spki() const { return spki_; }
  /// Returns the DER certificate; empty when the key came without one.
  const Octets& certificate() const { return certificate_; }
  /// Returns SHA-256 of the SPKI, 32 octets: how a key is named and compared everywhere.
  const Octets& fingerprint() const { return fingerprint_; }

 private:
  KeyMaterial(Octets spki, Octets certificate);
  Octets spki_;
  Octets certificate_;
  Octets fingerprint_;
};

}  // namespace idzone::identity
