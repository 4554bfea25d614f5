// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "services/core/dns/dnskey.h"

namespace idzone::signer::keys {
namespace {

constexpr std::size_t kFieldOctets = 32;

template <auto free_function>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using PkeyPointer = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyContextPointer = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Pkcs8Pointer = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;
using SignaturePointer = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

tl::unexpected<Error> OpensslFailed(std::string expected) {
  return Fail(Reason::kInternal, "signing key", std::move(expected), "a failure of OpenSSL");
}

bool IsP256(EVP_PKEY* key) {
  char group[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

/// Returns x||y.
Result<Octets> PublicPoint(EVP_PKEY* key) {
  Octets point(1 + 2 * kFieldOctets, '\0');
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, reinterpret_cast<unsigned char*>(point.data()), point.size(), &size) !=
          1 ||
      size != point.size() || point[0] != '\x04')
    return OpensslFailed("an uncompressed public point");
  return point.substr(1);
}

}  // namespace

struct SigningKey::Parts {
  PkeyPointer pkey;
  KeyId id;
  Octets dnskey;
};

Result<SigningKey> SigningKey::Wrap(void* raw) {
  auto parts = std::make_shared<Parts>();
  parts->pkey.reset(static_cast<EVP_PKEY*>(raw));
  auto point = PublicPoint(parts->pkey.get());
  if (!point) return tl::unexpected(point.error());
  unsigned char* spki = nullptr;
  const int size = i2d_PUBKEY(parts->pkey.get(), &spki);
  if (size <= 0) return OpensslFailed("a SubjectPublicKeyInfo");
  parts->id = Sha256(OctetsView(reinterpret_cast<const char*>(spki), static_cast<std::size_t>(size)));
  OPENSSL_free(spki);
  parts->dnskey = dns::EncodeDnskey(dns::kFlagsCsk, dns::kAlgorithmEcdsaP256Sha256, *point);
  return SigningKey(std::move(parts));
}

Result<SigningKey> SigningKey::Generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (key == nullptr) return OpensslFailed("a new key");
  return Wrap(key);
}

Result<SigningKey> SigningKey::FromPkcs8(const Secret& pkcs8, std::string_view subject) {
  const unsigned char* at = pkcs8.data();
  const Pkcs8Pointer info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  PkeyPointer key(info == nullptr ? nullptr : EVP_PKCS82PKEY(info.get()));
  if (key == nullptr || at != pkcs8.data() + pkcs8.size() || !IsP256(key.get()))
    return Fail(Reason::kKeyFileInvalid, std::string(subject), "a P-256 key in PKCS #8", "another content");
  return Wrap(key.release());
}

Result<Secret> SigningKey::ToPkcs8() const {
  const Pkcs8Pointer info(EVP_PKEY2PKCS8(parts_->pkey.get()));
  if (info == nullptr) return OpensslFailed("PKCS #8");
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  if (size <= 0) return OpensslFailed("PKCS #8");
  Secret pkcs8(static_cast<std::size_t>(size));
  unsigned char* at = pkcs8.data();
  if (i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at) != size) return OpensslFailed("PKCS #8");
  return pkcs8;
}

const KeyId& SigningKey::id() const {
  return parts_->id;
}
const Octets& SigningKey::dnskey() const {
  return parts_->dnskey;
}
std::uint16_t SigningKey::key_tag() const {
  return dns::KeyTag(parts_->dnskey);
}

struct Signer::Parts {
  std::shared_ptr<const SigningKey::Parts> key;  // keeps the key while the context refers to it
  PkeyContextPointer context;
};

Signer::Signer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

Result<Signer> Signer::Make(const SigningKey& key) {
  auto parts = std::make_unique<Parts>();
  parts->key = key.parts_;
  parts->context.reset(EVP_PKEY_CTX_new(key.parts_->pkey.get(), nullptr));
  if (parts->context == nullptr || EVP_PKEY_sign_init(parts->context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(parts->context.get(), EVP_sha256()) != 1)
    return OpensslFailed("a signing context");
  return Signer(std::move(parts));
}

Result<Octets> Signer::Sign(OctetsView data) {
  const Octets digest = Sha256(data);
  unsigned char der[80];
  std::size_t size = sizeof der;
  if (EVP_PKEY_sign(parts_->context.get(), der, &size, reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) != 1)
    return OpensslFailed("a signature");
  const unsigned char* at = der;
  const SignaturePointer signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  Octets raw(2 * kFieldOctets, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  // RFC 6605 §4: "the signature consists of two integers, r and s … each integer MUST be encoded as 32 octets".
  if (signature == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kFieldOctets) != kFieldOctets ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kFieldOctets, kFieldOctets) != kFieldOctets)
    return OpensslFailed("r and s");
  return raw;
}

}  // namespace idzone::signer::keys
