// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstring>

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/rrset.h"
#include "tests/unit/core/dns/rfc8080.h"

namespace idzone::signer::keys {
namespace {

constexpr std::uint8_t kAlgorithms[] = {13, 15};

/// Verifies with a public key that is rebuilt from the DNSKEY alone.
bool VerifiesEd25519(const Octets& dnskey, OctetsView data, const Octets& signature) {
  const auto* key_octets = reinterpret_cast<const unsigned char*>(dnskey.data()) + 4;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key_octets, dnskey.size() - 4);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool verified = EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                         reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return verified;
}

/// PKCS #8 of an Ed25519 seed, as RFC 8410 §7 shows it.
Secret Pkcs8Of(const Octets& seed) {
  const Octets octets = HexDecode("302e020100300506032b657004220420", "pkcs8").value() + seed;
  Secret secret(octets.size());
  std::memcpy(secret.data(), octets.data(), octets.size());
  return secret;
}

/// Verifies r||s with a public key that is rebuilt from the DNSKEY alone.
bool VerifiesP256(const Octets& dnskey, OctetsView data, const Octets& raw) {
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

bool Verifies(const Octets& dnskey, OctetsView data, const Octets& signature) {
  return dnskey[3] == 15 ? VerifiesEd25519(dnskey, data, signature) : VerifiesP256(dnskey, data, signature);
}

TEST(SigningKeyTest, SignsWhatItsDnskeyVerifies) {
  for (const std::uint8_t algorithm : kAlgorithms) {
    const SigningKey key = SigningKey::Generate(algorithm).value();
    Signer signer = Signer::Make(key).value();

    // Some r and s begin with zero octets: each integer must still have 32 octets.
    for (int i = 0; i < 600; ++i) {
      const Octets data = "data " + std::to_string(i);
      const Octets signature = signer.Sign(data).value();
      ASSERT_EQ(signature.size(), 64u);
      ASSERT_TRUE(Verifies(key.dnskey(), data, signature)) << i;
    }
  }
}

TEST(SigningKeyTest, MakesTheKeysAndSignaturesOfRfc8080) {
  const dns::Name owner = dns::Name::Parse("example.com").value();
  const auto mx = static_cast<dns::RrType>(rfc8080::kTypeMx);
  for (const rfc8080::Example& example : rfc8080::Examples()) {
    const SigningKey key = SigningKey::FromPkcs8(Pkcs8Of(example.private_key), "example").value();
    const dns::RrsigFields fields{.type_covered = mx,
                                  .algorithm = key.algorithm(),
                                  .labels = 2,
                                  .original_ttl = 3600,
                                  .expiration = rfc8080::kExpiration,
                                  .inception = rfc8080::kInception,
                                  .key_tag = key.key_tag(),
                                  .signer = owner.wire(),
                                  .signature = {}};

    const Octets signature = Signer::Make(key)->Sign(dns::EncodeSignedData(fields, owner.wire(), mx, {rfc8080::MxRdata()})).value();

    EXPECT_EQ(key.dnskey(), dns::EncodeDnskey(dns::kFlagsCsk, dns::kAlgorithmEd25519, example.public_key));
    EXPECT_EQ(key.key_tag(), example.key_tag);
    EXPECT_EQ(HexEncode(signature), HexEncode(example.signature));
  }
}

TEST(SigningKeyTest, SurvivesPkcs8) {
  for (const std::uint8_t algorithm : kAlgorithms) {
    const SigningKey key = SigningKey::Generate(algorithm).value();

    const SigningKey copy = SigningKey::FromPkcs8(key.ToPkcs8().value(), "file").value();

    EXPECT_EQ(copy.id(), key.id());
    EXPECT_EQ(copy.dnskey(), key.dnskey());
    EXPECT_EQ(copy.algorithm(), algorithm);
    EXPECT_TRUE(Verifies(key.dnskey(), "x", Signer::Make(copy)->Sign("x").value()));
  }
}

TEST(SigningKeyTest, PublishesACombinedSigningKeyOfItsAlgorithm) {
  const SigningKey p256 = SigningKey::Generate(13).value();
  const SigningKey ed25519 = SigningKey::Generate(15).value();

  EXPECT_EQ(p256.dnskey().substr(0, 4), Octets("\x01\x01\x03\x0d", 4));
  EXPECT_EQ(p256.dnskey().size(), 68u);
  EXPECT_EQ(ed25519.dnskey().substr(0, 4), Octets("\x01\x01\x03\x0f", 4));
  EXPECT_EQ(ed25519.dnskey().size(), 36u);
  for (const SigningKey& key : {p256, ed25519}) {
    EXPECT_EQ(key.key_tag(), dns::KeyTag(key.dnskey()));
    EXPECT_EQ(key.id().size(), kKeyIdOctets);
  }
}

TEST(SigningKeyTest, MakesAnotherKeyEachTime) {
  for (const std::uint8_t algorithm : kAlgorithms) EXPECT_NE(SigningKey::Generate(algorithm)->id(), SigningKey::Generate(algorithm)->id());
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
  Secret longer = Pkcs8Of(Octets(33, 's'));

  EXPECT_FALSE(SigningKey::FromPkcs8(foreign, "file").has_value());
  EXPECT_FALSE(SigningKey::FromPkcs8(noise, "file").has_value());
  EXPECT_FALSE(SigningKey::FromPkcs8(longer, "file").has_value());
}

}  // namespace
}  // namespace idzone::signer::keys
