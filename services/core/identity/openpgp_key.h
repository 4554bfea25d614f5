// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/octets.h"

namespace idzone::identity {

/// An OpenPGP transferable public key (RFC 4880 §11.1), as RFC 7929 §2.1 publishes it. Packets are framed to the end, and their
/// kinds counted; only the primary key is looked into.
/// Limits: signatures are not verified, so neither are user ids: who reads an OPENPGPKEY record verifies them.
class OpenPgpKey {
 public:
  /// Reads one key, binary or armored. MATERIAL_MISSING, MATERIAL_MALFORMED, MATERIAL_TRAILING_BYTES (several keys),
  /// MATERIAL_WRONG_KIND (secret keys, messages, detached signatures, keys of X.509 or SSH), KEY_TOO_WEAK (version 3, RSA under
  /// 2048 bits, DSA), KEY_UNSUPPORTED (a primary key that cannot sign), LIMIT_EXCEEDED (16 KiB sent, 4096 octets published:
  /// gpg's export-minimal helps). All name `openpgp_key`.
  static Result<OpenPgpKey> Parse(OctetsView octets);

  /// The same for binary keys alone.
  static Result<OpenPgpKey> FromPackets(OctetsView octets);

  /// Returns the packets as they came: the key, its user ids and attributes, subkeys, signatures. Trust packets, which are of no
  /// meaning outside their keyring (RFC 4880 §5.10), and marker packets (§5.8) are left out.
  const Octets& rdata() const { return rdata_; }
  /// Returns SHA-256 of the primary key packet's body, 32 octets.
  const Octets& fingerprint() const { return fingerprint_; }

 private:
  OpenPgpKey() = default;
  Octets rdata_;
  Octets fingerprint_;
};

}  // namespace idzone::identity
