// SPDX-License-Identifier: MIT
#include "zone-signer/keys/key_store.h"

namespace idzone::signer::keys {

Result<void> KeyStore::Check() {
  if (!token_) return {};
  return token_->Check();
}

Result<SigningKey> KeyStore::Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  return makes_in_token_ ? token_->Create(algorithm, flags, taken) : directory_->Create(algorithm, flags, taken);
}

Result<SigningKey> KeyStore::Load(const KeyId& id) {
  // Files are named by what they hold: one that is there is the key. Without a token, the directory says what it misses.
  if (directory_ && (!token_ || directory_->Has(id))) return directory_->Load(id);
  return token_->Load(id);
}

void KeyStore::Discard(const KeyId& id) {
  if (makes_in_token_) {
    token_->Discard(id);
  } else {
    directory_->Discard(id);
  }
}

Result<SigningKey> MadeKeys::Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  auto key = store_.Create(algorithm, flags, taken);
  if (key) ids_.push_back(key->id());
  return key;
}

void MadeKeys::Discard() {
  for (const KeyId& id : ids_) store_.Discard(id);
  ids_.clear();
}

}  // namespace idzone::signer::keys
