// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstring>

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"

namespace idzone::signer::keys {
namespace {

/// Verifies r||s with a public key that is rebuilt from the DNSKEY alone.
bool Verifies(const Octets& dnskey, OctetsView data, const Octets& raw) {
  // The fixed head of a P-256 SubjectPublicKeyInfo, before the uncompressed point (RFC 5480).
  Octets spki = HexDecode("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "spki").value() + dnskey.substr(4);
  const auto* at = reinterpret_cast<const unsigned char*>(spki.data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* octets = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG_set0(signature, BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool verified =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context, der, static_cast<std::size_t>(size), reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  EVP_PKEY_free(key);
  return verified;
}

TEST(SigningKeyTest, SignsWhatItsDnskeyVerifies) {
  const SigningKey key = SigningKey::Generate().value();
  Signer signer = Signer::Make(key).value();

  // Some r and s begin with zero octets: each integer must still have 32 octets.
  for (int i = 0; i < 600; ++i) {
    const Octets data = "data " + std::to_string(i);
    const Octets signature = signer.Sign(data).value();
    ASSERT_EQ(signature.size(), 64u);
    ASSERT_TRUE(Verifies(key.dnskey(), data, signature)) << i;
  }
}

TEST(SigningKeyTest, SurvivesPkcs8) {
  const SigningKey key = SigningKey::Generate().value();

  const SigningKey copy = SigningKey::FromPkcs8(key.ToPkcs8().value(), "file").value();

  EXPECT_EQ(copy.id(), key.id());
  EXPECT_EQ(copy.dnskey(), key.dnskey());
  EXPECT_TRUE(Verifies(key.dnskey(), "x", Signer::Make(copy)->Sign("x").value()));
}

TEST(SigningKeyTest, PublishesACombinedSigningKeyOfAlgorithm13) {
  const SigningKey key = SigningKey::Generate().value();

  EXPECT_EQ(key.dnskey().substr(0, 4), Octets("\x01\x01\x03\x0d", 4));
  EXPECT_EQ(key.dnskey().size(), 68u);
  EXPECT_EQ(key.key_tag(), dns::KeyTag(key.dnskey()));
  EXPECT_EQ(key.id().size(), kKeyIdOctets);
}

TEST(SigningKeyTest, MakesAnotherKeyEachTime) {
  EXPECT_NE(SigningKey::Generate()->id(), SigningKey::Generate()->id());
}

TEST(SigningKeyTest, RefusesForeignKeysAndOtherContent) {
  EVP_PKEY* p384 = EVP_EC_gen("P-384");
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(p384);
  Secret foreign(static_cast<std::size_t>(i2d_PKCS8_PRIV_KEY_INFO(info, nullptr)));
  unsigned char* at = foreign.data();
  i2d_PKCS8_PRIV_KEY_INFO(info, &at);
  PKCS8_PRIV_KEY_INFO_free(info);
  EVP_PKEY_free(p384);
  Secret noise(40);

  EXPECT_FALSE(SigningKey::FromPkcs8(foreign, "file").has_value());
  EXPECT_FALSE(SigningKey::FromPkcs8(noise, "file").has_value());
}

}  // namespace
}  // namespace idzone::signer::keys
