// SPDX-License-Identifier: MIT
#include "services/core/records/profile.h"

#include <gtest/gtest.h>

#include "tests/unit/core/identity/make_key.h"

namespace idzone::records {
namespace {

using identity::KeyMaterial;
using identity::MaterialKind;
using namespace testing;

// The integration tests compare with OpenSSL's and GnuTLS's own programs; here the shapes of RFC 6698 §2.1.
TEST(ProfileTest, MakesTheRecordOfItsName) {
  const Key key = EcKey("P-256");
  const auto material = KeyMaterial::Parse(MaterialKind::kCertificate, CertificateDer(key)).value();

  EXPECT_EQ(MakeTlsa(RecordProfile::kTlsa311, material).value(), Octets("\x03\x01\x01", 3) + Sha256(material.spki()));
  EXPECT_EQ(MakeTlsa(RecordProfile::kTlsa312, material).value(), Octets("\x03\x01\x02", 3) + Sha512(material.spki()));
  EXPECT_EQ(MakeTlsa(RecordProfile::kTlsa301, material).value(), Octets("\x03\x00\x01", 3) + Sha256(material.certificate()));
  EXPECT_EQ(MakeTlsa(RecordProfile::kTlsa310, material).value(), Octets("\x03\x01\x00", 3) + material.spki());
  EXPECT_EQ(MakeTlsa(RecordProfile::kTlsa300, material).value(), Octets("\x03\x00\x00", 3) + material.certificate());
}

TEST(ProfileTest, EveryMadeRecordPassesTheCheck) {
  const auto material = KeyMaterial::Parse(MaterialKind::kCertificate, CertificateDer(RsaKey(2048))).value();
  for (const auto profile :
       {RecordProfile::kTlsa311, RecordProfile::kTlsa312, RecordProfile::kTlsa301, RecordProfile::kTlsa310, RecordProfile::kTlsa300})
    EXPECT_TRUE(CheckTlsa(MakeTlsa(profile, material).value()).has_value()) << ProfileText(profile);
}

TEST(ProfileTest, ABareKeyCannotBecomeACertificateRecord) {
  const auto material = KeyMaterial::Parse(MaterialKind::kPublicKey, SpkiDer(EcKey("P-256"))).value();
  for (const auto profile : {RecordProfile::kTlsa301, RecordProfile::kTlsa300}) {
    const auto refused = MakeTlsa(profile, material);
    EXPECT_EQ(refused.error().reason, Reason::kProfileNeedsCertificate);
    EXPECT_EQ(refused.error().expected, "a certificate, because the namespace publishes " + std::string(ProfileText(profile)));
  }
}

TEST(ProfileTest, ReadsItsOwnText) {
  for (const auto profile :
       {RecordProfile::kTlsa311, RecordProfile::kTlsa312, RecordProfile::kTlsa301, RecordProfile::kTlsa310, RecordProfile::kTlsa300})
    EXPECT_EQ(ParseProfile(ProfileText(profile)).value(), profile);
  EXPECT_EQ(ParseProfile("3-1-1").value(), RecordProfile::kTlsa311);
  EXPECT_EQ(ParseProfile("2 0 1").error().reason, Reason::kEnumUnknown);
}

TEST(ProfileTest, RefusesRecordsThatNoVerifierCanUse) {
  const auto refused = [](const char* head, std::size_t size) { return !CheckTlsa(Octets(head, 3) + Octets(size, 'x')).has_value(); };
  EXPECT_FALSE(refused("\x03\x01\x01", 32));
  EXPECT_TRUE(refused("\x03\x01\x01", 31));
  EXPECT_TRUE(refused("\x03\x01\x02", 32));
  EXPECT_TRUE(refused("\x00\x01\x01", 32));
  EXPECT_TRUE(refused("\x01\x01\x01", 32));
  EXPECT_TRUE(refused("\x03\x02\x01", 32));
  EXPECT_TRUE(refused("\x03\x01\x03", 32));
  EXPECT_TRUE(refused("\x03\x01\x00", 4096));
  EXPECT_TRUE(refused("\x03\x01\x00", 0));
}

}  // namespace
}  // namespace idzone::records
