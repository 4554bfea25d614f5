// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "zone-signer/keys/signing_key.h"

namespace idzone::signer::keys {

struct TokenOptions {
  std::filesystem::path module;    // the shared library of the token's maker
  std::string label;               // the token's
  std::filesystem::path pin_file;  // a private file with the user PIN
};

/// The keys in a PKCS #11 token: made there, named there, never leaving it (token/key_object.h).
/// Errors: KEY_TOKEN_UNAVAILABLE while the token is gone, locked, full or ill: nothing is signed meanwhile, what is published stays,
/// and each later call tries again, a few seconds apart, until the token works; no restart is needed. KEY_FILE_INVALID for
/// what waiting does not mend: a module that cannot be loaded, a PIN file that others may read, a key that is not there.
/// Threads: one at a time; the keys it returns may be shared.
class TokenKeys {
 public:
  /// Loads the module and checks the PIN's file. The token itself need not be there yet.
  static Result<TokenKeys> Open(const TokenOptions& options);
  ~TokenKeys();
  TokenKeys(TokenKeys&&) noexcept;
  TokenKeys& operator=(TokenKeys&&) noexcept;

  /// Says whether the token can be used now; connects when that is needed.
  Result<void> Check();
  /// Makes a key whose tag, with those DNSKEY flags, is none of `taken`; it is in the token when this returns.
  Result<SigningKey> Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken);
  Result<SigningKey> Load(const KeyId& id);
  /// Deletes a key that nobody was told of.
  void Discard(const KeyId& id);

 private:
  struct Parts;
  explicit TokenKeys(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace idzone::signer::keys
