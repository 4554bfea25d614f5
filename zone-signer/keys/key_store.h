// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "zone-signer/keys/key_directory.h"
#include "zone-signer/keys/token_keys.h"

namespace idzone::signer::keys {

/// Where the signer's keys are: sealed files, a PKCS #11 token, or both. New keys are made in the provider; keys that exist are found
/// wherever they are, so that an installation moves from one to the other by a key roll.
/// Errors and threads: as KeyDirectory and TokenKeys say.
class KeyStore {
 public:
  explicit KeyStore(KeyDirectory directory) : directory_(std::move(directory)) {}
  /// The token makes the keys; the directory, if there is one, still has old ones.
  KeyStore(TokenKeys token, std::optional<KeyDirectory> directory)
      : directory_(std::move(directory)), token_(std::move(token)), makes_in_token_(true) {}
  /// The directory makes the keys; the token still has old ones.
  KeyStore(KeyDirectory directory, TokenKeys token) : directory_(std::move(directory)), token_(std::move(token)) {}

  /// Says whether keys can be had now: KEY_TOKEN_UNAVAILABLE while the token cannot.
  Result<void> Check();
  /// Makes a key; when this returns, it survives a power cut. A key whose tag, with those DNSKEY flags, is one of `taken` is thrown
  /// away before anybody sees it. Requires: algorithm 13 or 15.
  Result<SigningKey> Create(std::uint8_t algorithm, std::uint16_t flags = dns::kFlagsCsk, const std::set<std::uint16_t>& taken = {});
  /// Returns the key of that name.
  Result<SigningKey> Load(const KeyId& id);
  /// Deletes a key that was made and that nobody was told of.
  void Discard(const KeyId& id);

 private:
  std::optional<KeyDirectory> directory_;
  std::optional<TokenKeys> token_;
  bool makes_in_token_ = false;
};

/// Keys that were made for work that may still fail, and is then tried again with others: they are deleted at its end, unless they are
/// kept. Kept are those of a transaction that is about to commit, even if nobody ever hears whether it did.
class MadeKeys {
 public:
  /// `store` must outlive it.
  explicit MadeKeys(KeyStore& store) : store_(store) {}
  ~MadeKeys() { Discard(); }
  MadeKeys(const MadeKeys&) = delete;
  MadeKeys& operator=(const MadeKeys&) = delete;

  /// As KeyStore::Create.
  Result<SigningKey> Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken);
  const std::vector<KeyId>& ids() const { return ids_; }
  void Keep() { ids_.clear(); }
  void Discard();

 private:
  KeyStore& store_;
  std::vector<KeyId> ids_;  // in the order of their making
};

}  // namespace idzone::signer::keys
