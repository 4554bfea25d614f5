// SPDX-License-Identifier: MIT
#include "services/core/identity/key_material.h"

#include <gtest/gtest.h>

#include "tests/unit/core/identity/make_key.h"

namespace idzone::identity {
namespace {

using namespace testing;
using enum MaterialKind;

Reason ReasonOf(MaterialKind kind, const std::string& octets) {
  const auto parsed = KeyMaterial::Parse(kind, octets);
  return parsed ? static_cast<Reason>(0) : parsed.error().reason;
}

TEST(KeyMaterialTest, ReadsCertificatesRequestsAndKeysInPemAndDer) {
  for (const Key& key : {EcKey("P-256"), EcKey("P-384"), EcKey("P-521"), RsaKey(2048), NamedKey("ED25519"), NamedKey("ED448")}) {
    const std::string spki = SpkiDer(key);
    const auto request = Request(key, key);

    EXPECT_EQ(KeyMaterial::Parse(kCertificate, CertificateDer(key)).value().spki(), spki);
    EXPECT_EQ(KeyMaterial::Parse(kCertificate, CertificatePem(key)).value().spki(), spki);
    EXPECT_EQ(KeyMaterial::Parse(kCertificateRequest, Der(request.get(), i2d_X509_REQ)).value().spki(), spki);
    EXPECT_EQ(KeyMaterial::Parse(kCertificateRequest, Pem(request.get(), PEM_write_bio_X509_REQ)).value().spki(), spki);
    EXPECT_EQ(KeyMaterial::Parse(kPublicKey, spki).value().spki(), spki);
    EXPECT_EQ(KeyMaterial::Parse(kPublicKey, SpkiPem(key)).value().fingerprint(), Sha256(spki));
  }
}

TEST(KeyMaterialTest, KeepsTheCertificateAsItCame) {
  const Key key = EcKey("P-256");
  const std::string der = CertificateDer(key);
  EXPECT_EQ(KeyMaterial::Parse(kCertificate, der).value().certificate(), der);
  EXPECT_EQ(KeyMaterial::Parse(kPublicKey, SpkiDer(key)).value().certificate(), "");
}

TEST(KeyMaterialTest, AnExpiredCertificateIsStillAKey) {
  const auto expired = Certificate(EcKey("P-256"), -3600);
  EXPECT_TRUE(KeyMaterial::Parse(kCertificate, Der(expired.get(), i2d_X509)).has_value());
}

TEST(KeyMaterialTest, RefusesWhatCannotBeRead) {
  EXPECT_EQ(ReasonOf(kCertificate, ""), Reason::kMaterialMissing);
  EXPECT_EQ(ReasonOf(kCertificate, "hello"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf(kCertificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf(kCertificate, "-----BEGIN CERTIFICATE-----\nAA"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf(kCertificate, std::string(16 * 1024 + 1, 'x')), Reason::kLimitExceeded);
  const std::string der = CertificateDer(EcKey("P-256"));
  for (std::size_t size = 1; size < der.size(); size += 7)
    EXPECT_EQ(ReasonOf(kCertificate, der.substr(0, size)), Reason::kMaterialMalformed);
}

TEST(KeyMaterialTest, RefusesTrailingBytes) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(ReasonOf(kCertificate, CertificateDer(key) + "x"), Reason::kMaterialTrailingBytes);
  EXPECT_EQ(ReasonOf(kPublicKey, SpkiDer(key) + std::string(1, '\0')), Reason::kMaterialTrailingBytes);
  EXPECT_EQ(ReasonOf(kCertificate, CertificatePem(key) + CertificatePem(key)), Reason::kMaterialTrailingBytes);
  EXPECT_TRUE(KeyMaterial::Parse(kCertificate, "subject=CN = device\n" + CertificatePem(key) + "\n").has_value());
}

TEST(KeyMaterialTest, NamesTheRightSlotForMaterialInTheWrongOne) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(ReasonOf(kCertificate, SpkiPem(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(ReasonOf(kCertificate, SpkiDer(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(ReasonOf(kPublicKey, CertificateDer(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(KeyMaterial::Parse(kPublicKey, CertificatePem(key)).error().met, "one X.509 certificate");
}

TEST(KeyMaterialTest, ARequestProvesPossession) {
  const auto stolen = Request(EcKey("P-256"), EcKey("P-256"));
  EXPECT_EQ(ReasonOf(kCertificateRequest, Der(stolen.get(), i2d_X509_REQ)), Reason::kProofMismatch);
}

TEST(KeyMaterialTest, RefusesWeakAndUnknownKeys) {
  EXPECT_EQ(ReasonOf(kPublicKey, SpkiDer(RsaKey(1024))), Reason::kKeyTooWeak);
  EXPECT_EQ(ReasonOf(kCertificate, CertificateDer(RsaKey(1024))), Reason::kKeyTooWeak);
  EXPECT_EQ(ReasonOf(kPublicKey, SpkiDer(EcKey("secp256k1"))), Reason::kKeyUnsupported);
  EXPECT_EQ(ReasonOf(kPublicKey, SpkiDer(EcKey("secp224r1"))), Reason::kKeyUnsupported);
  EXPECT_EQ(ReasonOf(kPublicKey, SpkiDer(NamedKey("X25519"))), Reason::kKeyUnsupported);
}

}  // namespace
}  // namespace idzone::identity
