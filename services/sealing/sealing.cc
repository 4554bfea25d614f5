// SPDX-License-Identifier: MIT
#include "services/sealing/sealing.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

#include "services/core/base/deleter.h"
#include "services/sealing/private_file.h"

namespace idzone::sealing {
namespace {

constexpr OctetsView kHeader("IDZKEY\x01", 7);
constexpr std::size_t kNonceOctets = 12;
constexpr std::size_t kTagOctets = 16;
constexpr std::size_t kKekOctets = 32;

using CipherPointer = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;

const unsigned char* Bytes(OctetsView octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}
unsigned char* Bytes(Octets& octets, std::size_t at) {
  return reinterpret_cast<unsigned char*>(octets.data()) + at;
}

Octets AuthenticatedData(OctetsView secret_id) {
  return Octets(kHeader) + Octets(secret_id);
}

int HexDigit(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

KeyEncryptionKey::KeyEncryptionKey(Secret octets) : octets_(std::move(octets)) {
  IDZONE_INVARIANT(octets_.size() == kKekOctets, "a key-encryption key has 32 octets");
}

Result<KeyEncryptionKey> KeyEncryptionKey::Load(const std::filesystem::path& file) {
  auto content = ReadPrivateFile(file, 2 * kKekOctets + 2);
  if (!content) return tl::unexpected(content.error());
  if (content->size() == kKekOctets) return KeyEncryptionKey(std::move(*content));
  const auto wrong = Fail(Reason::kKeyFileInvalid, file.string(), "32 octets or 64 hex digits", "another content");
  std::size_t size = content->size();
  while (size > 2 * kKekOctets && (content->data()[size - 1] == '\n' || content->data()[size - 1] == '\r')) --size;
  if (size != 2 * kKekOctets) return wrong;
  // Decoded here and not by HexDecode, which would leave a copy of the key in freed memory.
  Secret octets(kKekOctets);
  for (std::size_t i = 0; i < kKekOctets; ++i) {
    const int high = HexDigit(content->data()[2 * i]);
    const int low = HexDigit(content->data()[2 * i + 1]);
    if (high < 0 || low < 0) return wrong;
    octets.data()[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return KeyEncryptionKey(std::move(octets));
}

Result<Octets> KeyEncryptionKey::Seal(OctetsView secret_id, const Secret& secret) const {
  const auto failed = Fail(Reason::kInternal, "sealing", "OpenSSL to seal", "a failure");
  Octets sealed(kHeader);
  const std::size_t nonce_at = sealed.size();
  const std::size_t text_at = nonce_at + kNonceOctets;
  sealed.resize(text_at + secret.size() + kTagOctets);
  if (RAND_bytes(Bytes(sealed, nonce_at), kNonceOctets) != 1) return failed;
  const Octets authenticated = AuthenticatedData(secret_id);
  const CipherPointer context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr || EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets_.data(), Bytes(sealed, nonce_at)) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(authenticated), static_cast<int>(authenticated.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), Bytes(sealed, text_at), &size, secret.data(), static_cast<int>(secret.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), Bytes(sealed, text_at + static_cast<std::size_t>(size)), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagOctets, Bytes(sealed, text_at + secret.size())) != 1)
    return failed;
  return sealed;
}

Result<Secret> KeyEncryptionKey::Unseal(OctetsView secret_id, OctetsView sealed, std::string_view subject) const {
  if (sealed.size() <= kHeader.size() + kNonceOctets + kTagOctets || sealed.substr(0, kHeader.size()) != kHeader)
    return Fail(Reason::kKeyFileInvalid, std::string(subject), "a sealed key of format version 1", "another content");
  const OctetsView nonce = sealed.substr(kHeader.size(), kNonceOctets);
  const OctetsView text = sealed.substr(kHeader.size() + kNonceOctets, sealed.size() - kHeader.size() - kNonceOctets - kTagOctets);
  Octets tag(sealed.substr(sealed.size() - kTagOctets));
  const Octets authenticated = AuthenticatedData(secret_id);
  Secret secret(text.size());
  const CipherPointer context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr || EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets_.data(), Bytes(nonce)) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(authenticated), static_cast<int>(authenticated.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), secret.data(), &size, Bytes(text), static_cast<int>(text.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagOctets, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context.get(), secret.data() + size, &size) != 1)
    return Fail(Reason::kKeyFileInvalid, std::string(subject), "what this key-encryption key sealed, unaltered",
                "the seal of another key-encryption key or of another secret, or damage");
  return secret;
}

}  // namespace idzone::sealing
