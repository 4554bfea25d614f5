// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <set>

#include "services/core/dns/dnskey.h"
#include "services/sealing/sealing.h"
#include "zone-signer/keys/signing_key.h"

namespace idzone::signer::keys {

/// The directory of sealed keys: one file a key, named by the hex of its id. Keys stay open once they were read.
/// Errors: KEY_FILE_INVALID says which file and what is wrong with it; the zone concerned is not signed meanwhile,
/// while its published versions stay as they are.
/// Threads: one at a time; the keys it returns may be shared.
class KeyDirectory {
 public:
  /// Checks the directory and the key-encryption key's file, and that the two belong together: KEY_FILE_INVALID when there are keys, and
  /// none can be opened. A single damaged one is its zone's trouble (Load).
  static Result<KeyDirectory> Open(const std::filesystem::path& directory, const std::filesystem::path& kek_file);

  /// Makes a key; when this returns, its sealed file survives a power cut. A key whose tag, with those DNSKEY flags, is one of
  /// `taken` is thrown away before anybody sees it: tags are hints that validators trust. Requires: algorithm 13 or 15.
  Result<SigningKey> Create(std::uint8_t algorithm, std::uint16_t flags = dns::kFlagsCsk, const std::set<std::uint16_t>& taken = {});
  bool Has(const KeyId& id) const;
  /// Deletes a key that nobody was told of.
  void Discard(const KeyId& id);
  /// Returns the key of that name. It must be the key that the id and the published DNSKEY say.
  Result<SigningKey> Load(const KeyId& id);

 private:
  KeyDirectory(std::filesystem::path directory, sealing::KeyEncryptionKey kek) : directory_(std::move(directory)), kek_(std::move(kek)) {}
  std::filesystem::path FileOf(const KeyId& id) const;
  Result<void> CheckKek(const std::filesystem::path& kek_file) const;

  std::filesystem::path directory_;
  sealing::KeyEncryptionKey kek_;
  std::map<KeyId, SigningKey> open_;
};

}  // namespace idzone::signer::keys
