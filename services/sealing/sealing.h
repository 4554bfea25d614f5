// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "services/sealing/secret.h"

/// Sealing: secrets (the signer's private keys, the secrets of private labels) are stored only under AES-256-GCM.
/// What is sealed is
///   "IDZKEY" · u8 format version (1) · 12 octets nonce · ciphertext · 16 octets tag
/// and its authenticated data is the first seven octets and the secret's id, so that it cannot stand for another one.
/// A nonce is random: a key-encryption key seals a handful of files, far below the 2^32 of SP 800-38D §8.3.
namespace idzone::sealing {

/// The key that seals the others, 32 octets.
class KeyEncryptionKey {
 public:
  /// Reads 32 raw octets or 64 hex digits (a final newline is allowed) from a private file. KEY_FILE_INVALID.
  static Result<KeyEncryptionKey> Load(const std::filesystem::path& file);
  /// Requires: 32 octets.
  explicit KeyEncryptionKey(Secret octets);

  /// Returns the sealed form of a secret. INTERNAL when OpenSSL fails.
  Result<Octets> Seal(OctetsView secret_id, const Secret& secret) const;
  /// Returns the secret. KEY_FILE_INVALID for another format, another key-encryption key, or any octet changed.
  Result<Secret> Unseal(OctetsView secret_id, OctetsView sealed, std::string_view subject) const;

 private:
  Secret octets_;
};

}  // namespace idzone::sealing
