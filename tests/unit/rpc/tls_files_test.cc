// SPDX-License-Identifier: MIT
#include "services/rpc/tls_files.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <iterator>

#include "services/core/base/deleter.h"

namespace idzone::rpc {
namespace {

struct Pair {
  std::string certificate;
  std::string key;
};

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Pair MakePair() {
  const std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Deleter<X509_free>> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const std::unique_ptr<BIO, Deleter<BIO_free>> first(BIO_new(BIO_s_mem()));
  const std::unique_ptr<BIO, Deleter<BIO_free>> second(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(first.get(), certificate.get());
  PEM_write_bio_PrivateKey(second.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {TextOf(first.get()), TextOf(second.get())};
}

std::string ContentOf(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() { std::filesystem::create_directories(folder_); }
  ~TlsFilesTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name, std::ios::trunc) << content; }
  void Write(const Pair& pair) const {
    Write("tls.crt", pair.certificate);
    Write("tls.key", pair.key);
  }
  TlsFileNames Names() const { return {folder_ / "tls.crt", folder_ / "tls.key", {}}; }

  const std::filesystem::path folder_ = testing::TempDir() + "tls_files_" + std::to_string(getpid());
};

TEST_F(TlsFilesTest, CopiesHoldWhatTheFilesHold) {
  const Pair pair = MakePair();
  Write(pair);

  const auto files = TlsFiles::Open(Names());

  ASSERT_TRUE(files) << files.error().Detail();
  EXPECT_EQ(ContentOf((*files)->copies().certificate), pair.certificate);
  EXPECT_EQ(ContentOf((*files)->copies().private_key), pair.key);
  EXPECT_TRUE((*files)->copies().authorities.empty());
}

TEST_F(TlsFilesTest, RenewedPairIsTakenUnderTheSamePaths) {
  Write(MakePair());
  const auto files = TlsFiles::Open(Names());
  const TlsFileNames before = (*files)->copies();
  const Pair renewed = MakePair();
  Write(renewed);

  ASSERT_TRUE((*files)->Refresh());

  EXPECT_EQ(ContentOf(before.certificate), renewed.certificate);
  EXPECT_EQ(ContentOf(before.private_key), renewed.key);
}

// gRPC's own watcher ends the process when it meets an empty key file.
TEST_F(TlsFilesTest, FilesThatAreJustBeingWrittenAreNotTaken) {
  const Pair pair = MakePair();
  const Pair renewed = MakePair();
  Write(pair);
  const auto files = TlsFiles::Open(Names());

  for (const auto& [certificate, key] : {std::pair<std::string, std::string>{pair.certificate, ""},
                                         {pair.certificate, renewed.key},
                                         {renewed.certificate, renewed.key.substr(0, 60)},
                                         {"", renewed.key}}) {
    Write({certificate, key});
    EXPECT_EQ((*files)->Refresh().error().reason, Reason::kKeyFileInvalid);
    EXPECT_EQ(ContentOf((*files)->copies().private_key), pair.key);
    EXPECT_EQ(ContentOf((*files)->copies().certificate), pair.certificate);
  }
  Write(renewed);
  EXPECT_TRUE((*files)->Refresh());
  EXPECT_EQ(ContentOf((*files)->copies().private_key), renewed.key);
}

TEST_F(TlsFilesTest, WrongFilesAtTheBeginningAreRefused) {
  EXPECT_EQ(TlsFiles::Open(Names()).error().reason, Reason::kKeyFileInvalid) << "none";
  Write({MakePair().certificate, MakePair().key});
  EXPECT_EQ(TlsFiles::Open(Names()).error().reason, Reason::kKeyFileInvalid) << "of two pairs";
}

}  // namespace
}  // namespace idzone::rpc
