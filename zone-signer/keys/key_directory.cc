// SPDX-License-Identifier: MIT
#include "zone-signer/keys/key_directory.h"

#include "services/sealing/private_file.h"

namespace idzone::signer::keys {
namespace {

/// A sealed P-256 key has some 170 octets, an Ed25519 one 84; an RSA-4096 one would have 2.5 KiB.
constexpr std::size_t kSealedOctetsMax = 8192;
/// With a hundred keys behind it, a namespace meets a taken tag once in 600 keys; many in a row are a broken generator.
constexpr int kTagTriesMax = 16;

/// Returns a new key with a tag that is free.
Result<SigningKey> GenerateWithFreeTag(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  for (int i = 0; i < kTagTriesMax; ++i) {
    auto key = SigningKey::Generate(algorithm);
    if (!key || !taken.contains(dns::KeyTag(key->DnskeyWith(flags)))) return key;
  }
  return Fail(Reason::kLimitExceeded, "signing key", "a key tag that no other key of the namespace has",
              std::to_string(kTagTriesMax) + " that others have");
}

}  // namespace

Result<KeyDirectory> KeyDirectory::Open(const std::filesystem::path& directory, const std::filesystem::path& kek_file) {
  auto kek = sealing::KeyEncryptionKey::Load(kek_file);
  if (!kek) return tl::unexpected(kek.error());
  if (auto checked = sealing::CheckPrivateDirectory(directory); !checked) return tl::unexpected(checked.error());
  return KeyDirectory(directory, std::move(*kek));
}

std::filesystem::path KeyDirectory::FileOf(const KeyId& id) const {
  return directory_ / HexEncode(id);
}

Result<SigningKey> KeyDirectory::Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  auto key = GenerateWithFreeTag(algorithm, flags, taken);
  if (!key) return key;
  const auto pkcs8 = key->ToPkcs8();
  if (!pkcs8) return tl::unexpected(pkcs8.error());
  const auto sealed = kek_.Seal(key->id(), *pkcs8);
  if (!sealed) return tl::unexpected(sealed.error());
  if (auto written = sealing::WritePrivateFile(FileOf(key->id()), *sealed); !written) return tl::unexpected(written.error());
  // Read back before anything is signed with it: a key that cannot be opened tomorrow must not enter a zone today.
  return Load(key->id());
}

Result<SigningKey> KeyDirectory::Load(const KeyId& id) {
  IDZONE_INVARIANT(id.size() == kKeyIdOctets, "a key id has 32 octets");
  if (const auto found = open_.find(id); found != open_.end()) return found->second;
  const std::filesystem::path file = FileOf(id);
  const auto sealed = sealing::ReadPrivateFile(file, kSealedOctetsMax);
  if (!sealed) return tl::unexpected(sealed.error());
  const auto pkcs8 = kek_.Unseal(id, sealed->view(), file.string());
  if (!pkcs8) return tl::unexpected(pkcs8.error());
  auto key = SigningKey::FromPkcs8(*pkcs8, file.string());
  if (!key) return key;
  if (key->id() != id) return Fail(Reason::kKeyFileInvalid, file.string(), "the key that the file is named after", "another key");
  open_.emplace(id, *key);
  return key;
}

}  // namespace idzone::signer::keys
