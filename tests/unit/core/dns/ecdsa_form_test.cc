// SPDX-License-Identifier: MIT
#include "services/core/dns/ecdsa_form.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include <memory>
#include <random>

#include "services/core/base/deleter.h"

namespace idzone::dns {
namespace {

/// What OpenSSL makes of r and s.
Octets OpensslDer(const Octets& raw) {
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(ECDSA_SIG_new());
  const auto* octets = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
  unsigned char der[80];
  unsigned char* end = der;
  const int size = i2d_ECDSA_SIG(signature.get(), &end);
  return Octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
}

TEST(EcdsaFormTest, EqualsOpensslForNumbersOfAllSizes) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    Octets raw(64, '\0');
    const std::size_t zeros_r = i % 33, zeros_s = i % 31;
    for (std::size_t at = 0; at < 64; ++at) {
      if ((at < 32 && at >= zeros_r) || at >= 32 + zeros_s) raw[at] = static_cast<char>(random());
    }

    const Octets der = DerOfRaw(raw);

    ASSERT_EQ(der, OpensslDer(raw)) << HexEncode(raw);
    const bool has_zero = raw.find_first_not_of('\0') >= 32 || raw.find_first_not_of('\0', 32) == Octets::npos;
    ASSERT_EQ(RawOfDer(der), has_zero ? std::nullopt : std::optional(raw)) << HexEncode(raw);
  }
}

TEST(EcdsaFormTest, RefusesWhatIsNoSignature) {
  const Octets good = DerOfRaw(Octets(32, '\1') + Octets(32, '\2'));
  ASSERT_TRUE(RawOfDer(good));

  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(RawOfDer(good.substr(0, length)));
  EXPECT_FALSE(RawOfDer(good + 'x'));
  for (const std::size_t at : {0u, 1u, 2u, 3u, 36u, 37u}) {  // tags and lengths
    Octets other = good;
    other[at] = static_cast<char>(other[at] + 1);
    EXPECT_FALSE(RawOfDer(other)) << at;
  }
  EXPECT_FALSE(RawOfDer(Octets("\x30\x06\x02\x01\x81\x02\x01\x01", 8))) << "a negative number";
  EXPECT_FALSE(RawOfDer(Octets("\x30\x07\x02\x02\x00\x01\x02\x01\x01", 9))) << "a number with an octet too many";
}

}  // namespace
}  // namespace idzone::dns
