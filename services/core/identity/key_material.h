// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/core/base/octets.h"

namespace idzone::identity {

/// What the caller says that he sends. The numbers are not stored.
enum class MaterialKind { kCertificate, kCertificateRequest, kPublicKey, kSshPublicKey };

struct SshKey;

/// The public key of an identity, taken from a certificate (RFC 5280), a certification request whose own signature proves
/// possession (RFC 2986), a bare SubjectPublicKeyInfo (RFC 7250), or an OpenSSH public key (ssh_key.h). Only strong keys of
/// known kinds become one.
/// Expiry, names and issuer of a certificate are not looked at: with usage 3 they mean nothing (RFC 7671 §5.1).
class KeyMaterial {
 public:
  /// Reads PEM or DER of exactly one object of that kind, or one OpenSSH line.
  /// MATERIAL_MISSING, MATERIAL_MALFORMED, MATERIAL_TRAILING_BYTES, MATERIAL_WRONG_KIND (a PEM label, or DER, of
  /// another kind), LIMIT_EXCEEDED (16 KiB), PROOF_MISMATCH (a request not signed by its key), KEY_TOO_WEAK
  /// (RSA under 2048 bits or with a small exponent), KEY_UNSUPPORTED (not RSA, P-256, P-384, P-521, Ed25519, Ed448).
  static Result<KeyMaterial> Parse(MaterialKind kind, OctetsView octets);

  /// Returns the DER SubjectPublicKeyInfo.
  const Octets& spki() const { return spki_; }
  /// Returns the DER certificate; empty when the key came without one.
  const Octets& certificate() const { return certificate_; }
  /// Returns the public key blob of RFC 4253 §6.6; empty unless the key came as an OpenSSH public key.
  const Octets& ssh_blob() const { return ssh_blob_; }
  /// Returns the algorithm number of SSHFP records (RFC 4255 §3.1.1); 0 likewise.
  std::uint8_t sshfp_algorithm() const { return sshfp_algorithm_; }
  /// Returns SHA-256 of the SPKI, 32 octets: how a key is named and compared everywhere, whatever it came in.
  const Octets& fingerprint() const { return fingerprint_; }

 private:
  KeyMaterial(Octets spki, Octets certificate);
  explicit KeyMaterial(SshKey key);
  Octets spki_;
  Octets certificate_;
  Octets ssh_blob_;
  std::uint8_t sshfp_algorithm_ = 0;
  Octets fingerprint_;
};

}  // namespace idzone::identity
