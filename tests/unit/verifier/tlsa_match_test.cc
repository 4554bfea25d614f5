// SPDX-License-Identifier: MIT
#include "services/verifier/tlsa_match.h"

#include <gtest/gtest.h>

namespace idzone::verifier {
namespace {

// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 36500 -subj /CN=sensor7
constexpr char kCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBfDCCASGgAwIBAgIUegjCptXLbQAj5OwanYGHPh+i6lowCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHc2Vuc29yNzAgFw0yNjExMjMyMjI4NTVaGA8yMTI2MTAzMDIy\n"
    "Mjg1NVowEjEQMA4GA1UEAwwHc2Vuc29yNzBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
    "A0IABDGA7FwSWgODKOX/K9K0TIdPsCHRtahci63xqpxEDY+nQXmDffiHbKPYLCRW\n"
    "WzIomU1rFJz9eAmDt7kEX8WAu4KjUzBRMB0GA1UdDgQWBBTk7PoaMBPkKtWO7K7h\n"
    "R8FFrEadpDAfBgNVHSMEGDAWgBTk7PoaMBPkKtWO7K7hR8FFrEadpDAPBgNVHRMB\n"
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDdRXpzm8mCkjebXvUMf4zu8wE9\n"
    "BeHDZN0F/sXgACQnAAIhAOgTbluaYKpnPYVkNdQ/vjXuLjRhQxBOP2d7FRs9f1l7\n"
    "-----END CERTIFICATE-----\n";
// openssl x509 -in c.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 (-sha512)
constexpr char kSpkiSha256[] = "8fc9023732ac2482ccf02a32dab24965fa14cb751515885fafc37bffdc8f3ff6";
constexpr char kSpkiSha512[] =
    "6f4164fc7ae9b2cca51e1e1f90083771706c49c00308b86b0538d6c020d9c374"
    "9e6559867fafecbe7ce1be71125d35d1da016c7cf65dc50660a30fd60d9c778f";
// openssl x509 -in c.pem -outform DER | openssl dgst -sha256 (-sha512)
constexpr char kCertificateSha256[] = "37f091ddb8ddcfd9f34d5e93ac171b162767038b3c2515f32aed135d2fbc0206";
constexpr char kCertificateSha512[] =
    "9cb4e20408361d49b655ef30a495bb4827284baa4a2c24e56a177c14efdebfdb"
    "e5af802f4551c9ac5e29eb81202ff4fb43f9ff7672ae17bbb082bee59e5f5103";
// openssl x509 -in c.pem -pubkey -noout | openssl pkey -pubin -outform DER | xxd -p
constexpr char kSpki[] =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200043180ec5c125a038328e5ff2bd2b44c874fb021d1b5a85c8badf1aa9c440d8f"
    "a74179837df8876ca3d82c24565b3228994d6b149cfd780983b7b9045fc580bb82";
const std::string kWrong256(64, 'a');
const std::string kWrong512(128, 'a');

const identity::KeyMaterial& Key() {
  static const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kCertificate, kCertificate).value();
  return key;
}

Octets Tlsa(int usage, int selector, int matching, const std::string& hex) {
  Octets rdata{static_cast<char>(usage), static_cast<char>(selector), static_cast<char>(matching)};
  return rdata + HexDecode(hex, "hex").value();
}

bool Matches(const std::vector<Octets>& records) {
  return MatchTlsa(records, Key()).matched;
}

TEST(TlsaMatchTest, MatchesWhatOpensslComputesForEverySelectorAndDigest) {
  EXPECT_TRUE(Matches({Tlsa(3, 1, 1, kSpkiSha256)}));
  EXPECT_TRUE(Matches({Tlsa(3, 1, 2, kSpkiSha512)}));
  EXPECT_TRUE(Matches({Tlsa(3, 1, 0, kSpki)}));
  EXPECT_TRUE(Matches({Tlsa(3, 0, 1, kCertificateSha256)}));
  EXPECT_TRUE(Matches({Tlsa(3, 0, 2, kCertificateSha512)}));
  EXPECT_TRUE(Matches({Tlsa(3, 0, 0, HexEncode(Key().certificate()))}));
}

TEST(TlsaMatchTest, DigestsOfTheOtherSelectorDoNotMatch) {
  EXPECT_FALSE(Matches({Tlsa(3, 0, 1, kSpkiSha256)}));
  EXPECT_FALSE(Matches({Tlsa(3, 1, 1, kCertificateSha256)}));
}

TEST(TlsaMatchTest, OneOfManyIsEnough) {
  EXPECT_TRUE(Matches({Tlsa(3, 1, 1, kWrong256), Tlsa(3, 1, 1, kSpkiSha256)}));
}

// RFC 7671 section 9: a matching weak digest beside a strong one that does not match is a forgery, or a mistake.
TEST(TlsaMatchTest, OnlyTheStrongestDigestOfASelectorCounts) {
  EXPECT_FALSE(Matches({Tlsa(3, 1, 1, kSpkiSha256), Tlsa(3, 1, 2, kWrong512)}));
  EXPECT_TRUE(Matches({Tlsa(3, 1, 1, kWrong256), Tlsa(3, 1, 2, kSpkiSha512)}));
  EXPECT_TRUE(Matches({Tlsa(3, 1, 1, kSpkiSha256), Tlsa(3, 0, 2, kWrong512)}));
  EXPECT_TRUE(Matches({Tlsa(3, 1, 0, kSpki), Tlsa(3, 1, 2, kWrong512)}));
}

TEST(TlsaMatchTest, AMalformedStrongDigestDoesNotOutrankASoundOne) {
  EXPECT_TRUE(Matches({Tlsa(3, 1, 1, kSpkiSha256), Tlsa(3, 1, 2, "aabb")}));
}

TEST(TlsaMatchTest, OtherUsagesAreUnusableAndSaidSo) {
  for (const int usage : {0, 1, 2, 4, 255}) {
    const Match finding = MatchTlsa({Tlsa(usage, 1, 1, kSpkiSha256)}, Key());
    EXPECT_FALSE(finding.matched);
    EXPECT_EQ(finding.usable, 0u);
    EXPECT_NE(finding.why.find("usage " + std::to_string(usage)), std::string::npos) << finding.why;
  }
}

TEST(TlsaMatchTest, UnknownNumbersAndShortRecordsAreLeftOut) {
  EXPECT_FALSE(Matches({Tlsa(3, 2, 1, kSpkiSha256)}));
  EXPECT_FALSE(Matches({Tlsa(3, 1, 3, kSpkiSha256)}));
  EXPECT_FALSE(Matches({Tlsa(3, 1, 1, kSpkiSha256 + std::string("00"))}));
  EXPECT_FALSE(Matches({Octets(), Octets("\x03"), Octets("\x03\x01\x01")}));
  EXPECT_TRUE(Matches({Octets(), Tlsa(3, 1, 1, kSpkiSha256)}));
  EXPECT_FALSE(Matches({}));
}

TEST(TlsaMatchTest, ABareKeyCannotMatchACertificate) {
  const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kPublicKey, Key().spki()).value();

  const Match finding = MatchTlsa({Tlsa(3, 0, 1, kCertificateSha256)}, key);

  EXPECT_FALSE(finding.matched);
  EXPECT_NE(finding.why.find("bare key"), std::string::npos);
  EXPECT_TRUE(MatchTlsa({Tlsa(3, 1, 1, kSpkiSha256)}, key).matched);
}

TEST(TlsaMatchTest, WritesPresentationForm) {
  EXPECT_EQ(FormatTlsa(Tlsa(3, 1, 1, kSpkiSha256)), std::string("3 1 1 ") + kSpkiSha256);
  EXPECT_EQ(FormatTlsa("\x01"), "01");
}

}  // namespace
}  // namespace idzone::verifier
