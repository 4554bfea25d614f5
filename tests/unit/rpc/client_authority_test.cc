// SPDX-License-Identifier: MIT
#include "services/rpc/client_authority.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>

namespace idzone::rpc {
namespace {

using std::chrono::hours;

constexpr UnixTime kNow{std::chrono::seconds(1'800'000'000)};

/// A certificate with its key, made in memory.
struct Identity {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;

  std::string Pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return pem;
  }
};

struct Validity {
  UnixTime from = kNow - hours(1);
  UnixTime until = kNow + hours(1);
};

Identity MakeIdentity(const std::string& name, const Identity* issuer, Validity validity = {}) {
  Identity made{{EVP_EC_gen("P-256"), EVP_PKEY_free}, {X509_new(), X509_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), validity.from.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(certificate), validity.until.time_since_epoch().count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()),
                             -1, -1, 0);
  X509_set_pubkey(certificate, made.key.get());
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer == nullptr ? certificate : issuer->certificate.get()));
  if (issuer == nullptr || name.find("authority") != std::string::npos) {
    X509_EXTENSION* basic = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(certificate, basic, -1);
    X509_EXTENSION_free(basic);
  }
  X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
  return made;
}

class ClientAuthorityTest : public testing::Test {
 protected:
  ClientAuthorityTest() {
    WriteFile(root_.Pem());
    authority_ = std::move(*ClientAuthority::Open(file_, kNow));
  }
  ~ClientAuthorityTest() override { std::filesystem::remove(file_); }

  void WriteFile(const std::string& pem) { std::ofstream(file_, std::ios::trunc) << pem; }

  const Identity root_ = MakeIdentity("root authority", nullptr, {kNow - hours(1000), kNow + hours(1000)});
  const std::filesystem::path file_ = testing::TempDir() + "client_authority_" + std::to_string(getpid()) + ".pem";
  std::unique_ptr<ClientAuthority> authority_;
};

TEST_F(ClientAuthorityTest, TrustedCertificateIsKnownByItsKey) {
  const Identity client = MakeIdentity("client", &root_);

  const auto first = authority_->Judge(client.Pem(), "", kNow);
  const auto again = authority_->Judge(client.Pem(), "", kNow);

  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 32u);
  EXPECT_EQ(again.value(), first.value());
}

TEST_F(ClientAuthorityTest, RenewedCertificateOfTheSameKeyIsTheSameCaller) {
  Identity client = MakeIdentity("client", &root_);
  const auto before = authority_->Judge(client.Pem(), "", kNow);
  X509_gmtime_adj(X509_getm_notAfter(client.certificate.get()), 3600);
  ASN1_TIME_set(X509_getm_notAfter(client.certificate.get()), (kNow + hours(9)).time_since_epoch().count());
  X509_sign(client.certificate.get(), root_.key.get(), EVP_sha256());

  EXPECT_EQ(authority_->Judge(client.Pem(), "", kNow).value(), before.value());
}

TEST_F(ClientAuthorityTest, ExpiredCertificateIsRefusedByNameAlsoAfterItWasAccepted) {
  const Identity client = MakeIdentity("client", &root_);
  ASSERT_TRUE(authority_->Judge(client.Pem(), "", kNow));

  const auto later = authority_->Judge(client.Pem(), "", kNow + hours(2));

  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().reason, Reason::kCertificateExpired);
  EXPECT_NE(later.error().met.find("until 2027-01-15T09:00:00Z"), std::string::npos) << later.error().met;
}

TEST_F(ClientAuthorityTest, CertificateFromTheFutureIsRefused) {
  const Identity client = MakeIdentity("client", &root_, {kNow + hours(1), kNow + hours(2)});

  EXPECT_EQ(authority_->Judge(client.Pem(), "", kNow).error().reason, Reason::kCertificateExpired);
}

TEST_F(ClientAuthorityTest, ForeignAndSelfSignedCertificatesAreUntrusted) {
  const Identity foreign_root = MakeIdentity("root authority", nullptr);
  const Identity foreign = MakeIdentity("client", &foreign_root);
  const Identity alone = MakeIdentity("alone", nullptr);

  EXPECT_EQ(authority_->Judge(foreign.Pem(), "", kNow).error().reason, Reason::kCertificateUntrusted);
  EXPECT_EQ(authority_->Judge(alone.Pem(), "", kNow).error().reason, Reason::kCertificateUntrusted);
  EXPECT_EQ(authority_->Judge("no certificate", "", kNow).error().reason, Reason::kCertificateUntrusted);
  EXPECT_EQ(authority_->Judge("", "", kNow).error().reason, Reason::kCertificateMissing);
}

TEST_F(ClientAuthorityTest, IntermediateThatThePeerSendsIsUsed) {
  const Identity middle = MakeIdentity("middle authority", &root_);
  const Identity client = MakeIdentity("client", &middle);

  EXPECT_TRUE(authority_->Judge(client.Pem(), middle.Pem(), kNow));
  EXPECT_FALSE(authority_->Judge(client.Pem(), "", kNow));
}

TEST_F(ClientAuthorityTest, ChangedFileTakesEffectAndABrokenOneDoesNot) {
  const Identity client = MakeIdentity("client", &root_);
  ASSERT_TRUE(authority_->Judge(client.Pem(), "", kNow));

  WriteFile("nonsense");
  std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now() + hours(1));
  EXPECT_TRUE(authority_->Judge(client.Pem(), "", kNow + std::chrono::seconds(1)));
  WriteFile(MakeIdentity("new authority", nullptr).Pem());
  std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now() + hours(2));

  EXPECT_FALSE(authority_->Judge(client.Pem(), "", kNow + std::chrono::seconds(2)));
}

TEST(ClientAuthorityOpenTest, FileWithoutCertificatesIsRefused) {
  const auto opened = ClientAuthority::Open("/nonexistent/ca.pem", kNow);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kKeyFileInvalid);
}

}  // namespace
}  // namespace idzone::rpc
