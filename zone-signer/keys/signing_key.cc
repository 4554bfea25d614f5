// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "services/core/base/deleter.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/ecdsa_form.h"

namespace idzone::signer::keys {
namespace {

constexpr std::size_t kFieldOctets = 32;
constexpr std::size_t kSignatureOctets = 64;

using PkeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContextPointer = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContextPointer = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Pkcs8Pointer = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;

tl::unexpected<Error> OpensslFailed(std::string expected) {
  return Fail(Reason::kInternal, "signing key", std::move(expected), "a failure of OpenSSL");
}

/// Returns the DNSSEC algorithm of a key; 0 for a key of no such kind.
std::uint8_t AlgorithmOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return dns::kAlgorithmEd25519;
  char group[32] = {};
  std::size_t size = 0;
  const bool is_p256 = EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
                       std::string_view(group, size) == "prime256v1";
  return is_p256 ? dns::kAlgorithmEcdsaP256Sha256 : 0;
}

/// Returns the public key as a DNSKEY holds it: P-256 without the octet that says "uncompressed".
Result<Octets> PublicOctets(EVP_PKEY* key, std::uint8_t algorithm) {
  const bool is_p256 = algorithm == dns::kAlgorithmEcdsaP256Sha256;
  Octets octets(is_p256 ? 1 + 2 * kFieldOctets : kFieldOctets, '\0');
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, reinterpret_cast<unsigned char*>(octets.data()), octets.size(),
                                      &size) != 1 ||
      size != octets.size() || (is_p256 && octets[0] != '\x04'))
    return OpensslFailed("a public key of the usual form");
  return is_p256 ? octets.substr(1) : octets;
}

}  // namespace

struct SigningKey::Parts {
  PkeyPointer pkey;
  std::uint8_t algorithm = 0;
  KeyId id;
  Octets public_key;  // as a DNSKEY holds it
  Octets dnskey;
};

Result<SigningKey> SigningKey::Wrap(void* raw) {
  auto parts = std::make_shared<Parts>();
  parts->pkey.reset(static_cast<EVP_PKEY*>(raw));
  parts->algorithm = AlgorithmOf(parts->pkey.get());
  const auto public_key = PublicOctets(parts->pkey.get(), parts->algorithm);
  if (!public_key) return tl::unexpected(public_key.error());
  unsigned char* spki = nullptr;
  const int size = i2d_PUBKEY(parts->pkey.get(), &spki);
  if (size <= 0) return OpensslFailed("a SubjectPublicKeyInfo");
  parts->id = Sha256(OctetsView(reinterpret_cast<const char*>(spki), static_cast<std::size_t>(size)));
  OPENSSL_free(spki);
  parts->public_key = *public_key;
  parts->dnskey = dns::EncodeDnskey(dns::kFlagsCsk, parts->algorithm, *public_key);
  return SigningKey(std::move(parts));
}

Result<SigningKey> SigningKey::Generate(std::uint8_t algorithm) {
  IDZONE_INVARIANT(algorithm == dns::kAlgorithmEcdsaP256Sha256 || algorithm == dns::kAlgorithmEd25519, "keys are of algorithm 13 or 15");
  EVP_PKEY* key = algorithm == dns::kAlgorithmEd25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519") : EVP_EC_gen("P-256");
  if (key == nullptr) return OpensslFailed("a new key");
  return Wrap(key);
}

Result<SigningKey> SigningKey::FromPkcs8(const Secret& pkcs8, std::string_view subject) {
  const unsigned char* at = pkcs8.data();
  const Pkcs8Pointer info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  PkeyPointer key(info == nullptr ? nullptr : EVP_PKCS82PKEY(info.get()));
  if (key == nullptr || at != pkcs8.data() + pkcs8.size() || AlgorithmOf(key.get()) == 0)
    return Fail(Reason::kKeyFileInvalid, std::string(subject), "a P-256 or Ed25519 key in PKCS #8", "another content");
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
Octets SigningKey::DnskeyWith(std::uint16_t flags) const {
  return dns::EncodeDnskey(flags, parts_->algorithm, parts_->public_key);
}
std::uint8_t SigningKey::algorithm() const {
  return parts_->algorithm;
}
std::uint16_t SigningKey::key_tag() const {
  return dns::KeyTag(parts_->dnskey);
}

struct Signer::Parts {
  Result<Octets> SignEcdsa(OctetsView data);
  Result<Octets> SignEd25519(OctetsView data);

  std::shared_ptr<const SigningKey::Parts> key;  // keeps the key while a context refers to it
  PkeyContextPointer ecdsa;                      // one of the two
  DigestContextPointer ed25519;
};

Signer::Signer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

Result<Signer> Signer::Make(const SigningKey& key) {
  auto parts = std::make_unique<Parts>();
  parts->key = key.parts_;
  EVP_PKEY* pkey = key.parts_->pkey.get();
  bool ready = false;
  if (key.algorithm() == dns::kAlgorithmEd25519) {
    parts->ed25519.reset(EVP_MD_CTX_new());
    ready = parts->ed25519 != nullptr && EVP_DigestSignInit(parts->ed25519.get(), nullptr, nullptr, nullptr, pkey) == 1;
  } else {
    parts->ecdsa.reset(EVP_PKEY_CTX_new(pkey, nullptr));
    ready = parts->ecdsa != nullptr && EVP_PKEY_sign_init(parts->ecdsa.get()) == 1 &&
            EVP_PKEY_CTX_set_signature_md(parts->ecdsa.get(), EVP_sha256()) == 1;
  }
  if (!ready) return OpensslFailed("a signing context");
  return Signer(std::move(parts));
}

Result<Octets> Signer::Sign(OctetsView data) {
  return parts_->ed25519 != nullptr ? parts_->SignEd25519(data) : parts_->SignEcdsa(data);
}

Result<Octets> Signer::Parts::SignEcdsa(OctetsView data) {
  const Octets digest = Sha256(data);
  unsigned char der[80];
  std::size_t size = sizeof der;
  if (EVP_PKEY_sign(ecdsa.get(), der, &size, reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) != 1)
    return OpensslFailed("a signature");
  // RFC 6605 §4: "the signature consists of two integers, r and s … each integer MUST be encoded as 32 octets".
  auto raw = dns::RawOfDer(OctetsView(reinterpret_cast<const char*>(der), size));
  if (!raw) return OpensslFailed("r and s");
  return std::move(*raw);
}

/// RFC 8080 §4: pure Ed25519, over the data and not over a digest of it.
Result<Octets> Signer::Parts::SignEd25519(OctetsView data) {
  Octets raw(kSignatureOctets, '\0');
  std::size_t size = raw.size();
  // A context makes one signature; to begin the next one with the same key costs nothing that can be measured.
  if (EVP_DigestSignInit(ed25519.get(), nullptr, nullptr, nullptr, nullptr) != 1 ||
      EVP_DigestSign(ed25519.get(), reinterpret_cast<unsigned char*>(raw.data()), &size,
                     reinterpret_cast<const unsigned char*>(data.data()), data.size()) != 1 ||
      size != raw.size())
    return OpensslFailed("a signature");
  return raw;
}

}  // namespace idzone::signer::keys
