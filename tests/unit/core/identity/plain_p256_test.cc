// SPDX-License-Identifier: MIT
#include "services/core/identity/plain_p256.h"

#include <gtest/gtest.h>

#include "tests/unit/core/identity/make_key.h"

namespace idzone::identity {
namespace {

using namespace testing;

/// What OpenSSL's own decoders say: the key of the certificate, nothing when there is no usable one.
std::optional<Octets> LongWay(const std::string& der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, decltype(&X509_free)> read(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())), X509_free);
  if (read == nullptr || cursor != reinterpret_cast<const unsigned char*>(der.data()) + der.size()) return std::nullopt;
  const Key key = Own(X509_get_pubkey(read.get()));
  if (key == nullptr) return std::nullopt;
  return Der(X509_get_X509_PUBKEY(read.get()), i2d_X509_PUBKEY);
}

TEST(PlainP256Test, FindsTheKeyThatOpenSslFinds) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(PlainP256Of(CertificateDer(key)), SpkiDer(key));
  EXPECT_TRUE(IsPlainP256(SpkiDer(key)));
}

TEST(PlainP256Test, SaysNothingAboutOtherKeys) {
  for (const Key& key : {EcKey("P-384"), RsaKey(2048), NamedKey("ED25519")}) {
    EXPECT_EQ(PlainP256Of(CertificateDer(key)), std::nullopt);
    EXPECT_FALSE(IsPlainP256(SpkiDer(key)));
  }
}

TEST(PlainP256Test, APointBesideTheCurveIsNoKey) {
  std::string spki = SpkiDer(EcKey("P-256"));
  spki.back() = static_cast<char>(spki.back() ^ 1);
  EXPECT_FALSE(IsPlainP256(spki));
  // A coordinate that is not below the prime.
  std::fill(spki.end() - 32, spki.end(), '\xff');
  EXPECT_FALSE(IsPlainP256(spki));
}

TEST(PlainP256Test, ACertificateIsReadWholeAndAlone) {
  const std::string der = CertificateDer(EcKey("P-256"));
  for (std::size_t size = 0; size < der.size(); ++size) EXPECT_EQ(PlainP256Of(der.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(PlainP256Of(der + '\0'), std::nullopt);
}

TEST(PlainP256Test, WhatItAcceptsOpenSslAcceptsLikewise) {
  const std::string der = CertificateDer(EcKey("P-256"));
  int accepted = 0;
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const int change : {0x01, 0x02, 0x20, 0x80, 0xff}) {
      std::string other = der;
      other[at] = static_cast<char>(other[at] ^ change);
      const auto quick = PlainP256Of(other);
      if (!quick) continue;
      ++accepted;
      EXPECT_EQ(quick, LongWay(other)) << "octet " << at << " changed by " << change;
    }
  }
  EXPECT_GT(accepted, 100) << "signatures, names and times are not judged";
}

}  // namespace
}  // namespace idzone::identity
