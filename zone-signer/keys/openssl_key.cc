// SPDX-License-Identifier: MIT
#include "zone-signer/keys/openssl_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "services/core/base/deleter.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/ecdsa_form.h"

namespace idzone::signer::keys {
namespace {

using sealing::Secret;

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

struct OpensslKey::Parts {
  PkeyPointer pkey;
  std::uint8_t algorithm = 0;
  Octets public_key;
};

namespace {

Result<std::shared_ptr<const OpensslKey>> Wrap(PkeyPointer pkey) {
  auto parts = std::make_shared<OpensslKey::Parts>();
  parts->pkey = std::move(pkey);
  parts->algorithm = AlgorithmOf(parts->pkey.get());
  auto public_key = PublicOctets(parts->pkey.get(), parts->algorithm);
  if (!public_key) return tl::unexpected(public_key.error());
  parts->public_key = *std::move(public_key);
  return std::make_shared<const OpensslKey>(std::move(parts));
}

/// One reused OpenSSL context: setting that up costs as much as a signature.
class EcdsaContext : public SigningContext {
 public:
  EcdsaContext(std::shared_ptr<const OpensslKey::Parts> key, PkeyContextPointer context)
      : key_(std::move(key)), context_(std::move(context)) {}

  Result<Octets> Sign(OctetsView data) override {
    const Octets digest = Sha256(data);
    unsigned char der[80];
    std::size_t size = sizeof der;
    if (EVP_PKEY_sign(context_.get(), der, &size, reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) != 1)
      return OpensslFailed("a signature");
    // RFC 6605 §4: "the signature consists of two integers, r and s … each integer MUST be encoded as 32 octets".
    auto raw = dns::RawOfDer(OctetsView(reinterpret_cast<const char*>(der), size));
    if (!raw) return OpensslFailed("r and s");
    return std::move(*raw);
  }

 private:
  std::shared_ptr<const OpensslKey::Parts> key_;  // kept while the context refers to it
  PkeyContextPointer context_;
};

/// RFC 8080 §4: pure Ed25519, over the data and not over a digest of it.
class Ed25519Context : public SigningContext {
 public:
  Ed25519Context(std::shared_ptr<const OpensslKey::Parts> key, DigestContextPointer context)
      : key_(std::move(key)), context_(std::move(context)) {}

  Result<Octets> Sign(OctetsView data) override {
    Octets raw(kSignatureOctets, '\0');
    std::size_t size = raw.size();
    // A context makes one signature; to begin the next one with the same key costs nothing that can be measured.
    if (EVP_DigestSignInit(context_.get(), nullptr, nullptr, nullptr, nullptr) != 1 ||
        EVP_DigestSign(context_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size,
                       reinterpret_cast<const unsigned char*>(data.data()), data.size()) != 1 ||
        size != raw.size())
      return OpensslFailed("a signature");
    return raw;
  }

 private:
  std::shared_ptr<const OpensslKey::Parts> key_;
  DigestContextPointer context_;
};

}  // namespace

OpensslKey::~OpensslKey() = default;

Result<std::shared_ptr<const OpensslKey>> OpensslKey::Generate(std::uint8_t algorithm) {
  IDZONE_INVARIANT(algorithm == dns::kAlgorithmEcdsaP256Sha256 || algorithm == dns::kAlgorithmEd25519, "keys are of algorithm 13 or 15");
  PkeyPointer key(algorithm == dns::kAlgorithmEd25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519") : EVP_EC_gen("P-256"));
  if (key == nullptr) return OpensslFailed("a new key");
  return Wrap(std::move(key));
}

Result<std::shared_ptr<const OpensslKey>> OpensslKey::FromPkcs8(const Secret& pkcs8, std::string_view subject) {
  const unsigned char* at = pkcs8.data();
  const Pkcs8Pointer info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  PkeyPointer key(info == nullptr ? nullptr : EVP_PKCS82PKEY(info.get()));
  if (key == nullptr || at != pkcs8.data() + pkcs8.size() || AlgorithmOf(key.get()) == 0)
    return Fail(Reason::kKeyFileInvalid, std::string(subject), "a P-256 or Ed25519 key in PKCS #8", "another content");
  return Wrap(std::move(key));
}

Result<Secret> OpensslKey::ToPkcs8() const {
  const Pkcs8Pointer info(EVP_PKEY2PKCS8(parts_->pkey.get()));
  if (info == nullptr) return OpensslFailed("PKCS #8");
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  if (size <= 0) return OpensslFailed("PKCS #8");
  Secret pkcs8(static_cast<std::size_t>(size));
  unsigned char* at = pkcs8.data();
  if (i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at) != size) return OpensslFailed("PKCS #8");
  return pkcs8;
}

std::uint8_t OpensslKey::algorithm() const {
  return parts_->algorithm;
}

const Octets& OpensslKey::public_key() const {
  return parts_->public_key;
}

Result<std::unique_ptr<SigningContext>> OpensslKey::MakeContext() const {
  EVP_PKEY* pkey = parts_->pkey.get();
  if (parts_->algorithm == dns::kAlgorithmEd25519) {
    DigestContextPointer context(EVP_MD_CTX_new());
    if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey) != 1)
      return OpensslFailed("a signing context");
    return std::make_unique<Ed25519Context>(parts_, std::move(context));
  }
  PkeyContextPointer context(EVP_PKEY_CTX_new(pkey, nullptr));
  if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 || EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1)
    return OpensslFailed("a signing context");
  return std::make_unique<EcdsaContext>(parts_, std::move(context));
}

}  // namespace idzone::signer::keys
