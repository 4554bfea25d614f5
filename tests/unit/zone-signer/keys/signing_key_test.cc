// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstring>

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/rrset.h"
#include "tests/unit/core/dns/rfc8080.h"
#include "tests/unit/zone-signer/keys/verifies.h"
#include "zone-signer/keys/openssl_key.h"

namespace idzone::signer::keys {
namespace {

constexpr std::uint8_t kAlgorithms[] = {13, 15};

/// PKCS #8 of an Ed25519 seed, as RFC 8410 §7 shows it.
Secret Pkcs8Of(const Octets& seed) {
  const Octets octets = HexDecode("302e020100300506032b657004220420", "pkcs8").value() + seed;
  Secret secret(octets.size());
  std::memcpy(secret.data(), octets.data(), octets.size());
  return secret;
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
    const SigningKey key(OpensslKey::FromPkcs8(Pkcs8Of(example.private_key), "example").value());
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
    const auto made = OpensslKey::Generate(algorithm).value();
    const SigningKey key(made);

    const SigningKey copy(OpensslKey::FromPkcs8(made->ToPkcs8().value(), "file").value());

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

  EXPECT_FALSE(OpensslKey::FromPkcs8(foreign, "file").has_value());
  EXPECT_FALSE(OpensslKey::FromPkcs8(noise, "file").has_value());
  EXPECT_FALSE(OpensslKey::FromPkcs8(longer, "file").has_value());
}

}  // namespace
}  // namespace idzone::signer::keys
