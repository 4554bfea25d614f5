// SPDX-License-Identifier: MIT
#include "zone-signer/keys/key_directory.h"

#include "services/sealing/private_file.h"
#include "zone-signer/keys/free_tag.h"
#include "zone-signer/keys/openssl_key.h"

namespace idzone::signer::keys {
namespace {

/// A sealed P-256 key has some 170 octets, an Ed25519 one 84; an RSA-4096 one would have 2.5 KiB.
constexpr std::size_t kSealedOctetsMax = 8192;

}  // namespace

Result<KeyDirectory> KeyDirectory::Open(const std::filesystem::path& directory, const std::filesystem::path& kek_file) {
  auto kek = sealing::KeyEncryptionKey::Load(kek_file);
  if (!kek) return tl::unexpected(kek.error());
  if (auto checked = sealing::CheckPrivateDirectory(directory); !checked) return tl::unexpected(checked.error());
  KeyDirectory opened(directory, std::move(*kek));
  if (auto checked = opened.CheckKek(kek_file); !checked) return tl::unexpected(checked.error());
  return opened;
}

Result<void> KeyDirectory::CheckKek(const std::filesystem::path& kek_file) const {
  constexpr std::size_t kAsked = 16;  // enough to tell damage from another key-encryption key
  std::size_t refused = 0;
  std::error_code failure;
  for (std::filesystem::directory_iterator file(directory_, failure), end; !failure && file != end && refused < kAsked;
       file.increment(failure)) {
    const auto id = HexDecode(file->path().filename().string(), "key file");
    if (!id || id->size() != kKeyIdOctets) continue;
    // What cannot be read says nothing of the key-encryption key.
    const auto sealed = sealing::ReadPrivateFile(file->path(), kSealedOctetsMax);
    if (!sealed) continue;
    if (kek_.Unseal(*id, sealed->view(), file->path().string())) return {};
    ++refused;
  }
  if (refused == 0) return {};
  return Fail(Reason::kKeyFileInvalid, kek_file.string(),
              "the key-encryption key that the keys in " + directory_.string() + " were sealed with",
              "one that opens none of " + std::to_string(refused) + ", or all of them are damaged");
}

std::filesystem::path KeyDirectory::FileOf(const KeyId& id) const {
  return directory_ / HexEncode(id);
}

bool KeyDirectory::Has(const KeyId& id) const {
  std::error_code failure;
  return std::filesystem::exists(std::filesystem::symlink_status(FileOf(id), failure));
}

Result<SigningKey> KeyDirectory::Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  std::shared_ptr<const OpensslKey> made;
  auto key = WithFreeTag([&]() -> Result<SigningKey> {
    auto generated = OpensslKey::Generate(algorithm);
    if (!generated) return tl::unexpected(generated.error());
    made = *std::move(generated);
    SigningKey candidate(made);
    if (taken.contains(dns::KeyTag(candidate.DnskeyWith(flags)))) return TagIsTaken();
    return candidate;
  });
  if (!key) return key;
  const auto pkcs8 = made->ToPkcs8();
  if (!pkcs8) return tl::unexpected(pkcs8.error());
  const auto sealed = kek_.Seal(key->id(), *pkcs8);
  if (!sealed) return tl::unexpected(sealed.error());
  if (auto written = sealing::WritePrivateFile(FileOf(key->id()), *sealed); !written) return tl::unexpected(written.error());
  // Read back before anything is signed with it: a key that cannot be opened tomorrow must not enter a zone today.
  return Load(key->id());
}

void KeyDirectory::Discard(const KeyId& id) {
  open_.erase(id);
  std::error_code failure;
  std::filesystem::remove(FileOf(id), failure);
}

Result<SigningKey> KeyDirectory::Load(const KeyId& id) {
  IDZONE_INVARIANT(id.size() == kKeyIdOctets, "a key id has 32 octets");
  if (const auto found = open_.find(id); found != open_.end()) return found->second;
  const std::filesystem::path file = FileOf(id);
  const auto sealed = sealing::ReadPrivateFile(file, kSealedOctetsMax);
  if (!sealed) return tl::unexpected(sealed.error());
  const auto pkcs8 = kek_.Unseal(id, sealed->view(), file.string());
  if (!pkcs8) return tl::unexpected(pkcs8.error());
  auto opened = OpensslKey::FromPkcs8(*pkcs8, file.string());
  if (!opened) return tl::unexpected(opened.error());
  SigningKey key(*std::move(opened));
  if (key.id() != id) return Fail(Reason::kKeyFileInvalid, file.string(), "the key that the file is named after", "another key");
  open_.emplace(id, key);
  return key;
}

}  // namespace idzone::signer::keys
