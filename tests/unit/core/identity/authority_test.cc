// SPDX-License-Identifier: MIT
#include "services/core/identity/authority.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "services/core/records/profile.h"
#include "tests/unit/core/identity/make_key.h"

namespace idzone::identity {
namespace {

using namespace testing;

struct Extension {
  int nid;
  const char* value;
};

std::string CertificateWith(const Key& key, const std::vector<Extension>& extensions) {
  const auto certificate = Certificate(key);
  for (const Extension& extension : extensions) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, extension.nid, extension.value);
    X509_add_ext(certificate.get(), made, -1);
    X509_EXTENSION_free(made);
  }
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return Der(certificate.get(), i2d_X509);
}

std::string Outcome(const std::string& certificate) {
  const auto authority = ParseAuthority(certificate);
  return authority ? "accepted" : std::string(ReasonName(authority.error().reason)) + ": " + authority.error().met;
}

constexpr Extension kCa{NID_basic_constraints, "critical,CA:TRUE"};

TEST(AuthorityTest, IsACertificateThatMaySignOthers) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(Outcome(CertificateWith(key, {kCa})), "accepted");
  EXPECT_EQ(Outcome(CertificateWith(key, {kCa, {NID_key_usage, "critical,keyCertSign,cRLSign"}})), "accepted");
  EXPECT_EQ(Outcome(CertificateWith(key, {{NID_basic_constraints, "CA:TRUE,pathlen:0"}})), "accepted");
}

TEST(AuthorityTest, SaysWhyACertificateIsNone) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(Outcome(CertificateWith(key, {})), "CERTIFICATE_NOT_CA: no basicConstraints");
  EXPECT_EQ(Outcome(CertificateWith(key, {{NID_basic_constraints, "CA:FALSE"}})), "CERTIFICATE_NOT_CA: CA:FALSE");
  EXPECT_EQ(Outcome(CertificateWith(key, {kCa, {NID_key_usage, "digitalSignature"}})), "CERTIFICATE_NOT_CA: keyUsage without keyCertSign");
  EXPECT_EQ(Outcome(CertificateWith(key, {{NID_basic_constraints, "DER:30030101"}})), "CERTIFICATE_NOT_CA: extensions that cannot be read");
}

TEST(AuthorityTest, IsHeldToTheRulesOfAllCertificates) {
  EXPECT_EQ(ParseAuthority(CertificateWith(RsaKey(1024), {kCa})).error().reason, Reason::kKeyTooWeak);
  EXPECT_EQ(ParseAuthority(SpkiDer(EcKey("P-256"))).error().reason, Reason::kMaterialWrongKind);
  EXPECT_EQ(ParseAuthority("").error().subject, "certificate");
}

TEST(AuthorityTest, BecomesUsageTwoInFullOrAsDigest) {
  const std::string der = CertificateWith(EcKey("P-256"), {kCa});
  const auto authority = ParseAuthority(der).value();
  const Octets digest = records::MakeAuthorityTlsa(false, authority).value();
  const Octets full = records::MakeAuthorityTlsa(true, authority).value();

  EXPECT_EQ(digest, Octets("\x02\x00\x01", 3) + Sha256(der));
  EXPECT_EQ(full, Octets("\x02\x00\x00", 3) + der);
  EXPECT_TRUE(records::CheckTlsa(digest).has_value());
  EXPECT_TRUE(records::CheckTlsa(full).has_value());
}

TEST(AuthorityTest, InFullItMustFitARecord) {
  const std::string long_comment(4000, 'x');
  const auto authority = ParseAuthority(CertificateWith(EcKey("P-256"), {kCa, {NID_netscape_comment, long_comment.c_str()}})).value();
  EXPECT_EQ(records::MakeAuthorityTlsa(true, authority).error().reason, Reason::kLimitExceeded);
  EXPECT_TRUE(records::MakeAuthorityTlsa(false, authority).has_value());
}

}  // namespace
}  // namespace idzone::identity
