// SPDX-License-Identifier: MIT
#include "services/core/dns/dnskey.h"

#include <gtest/gtest.h>

#include "tests/unit/core/dns/rfc6605.h"
#include "tests/unit/core/dns/rfc8080.h"

namespace idzone::dns {
namespace {

TEST(DnskeyTest, KeyTagAndDsAreThoseOfRfc6605) {
  const Octets dnskey = EncodeDnskey(kFlagsCsk, kAlgorithmEcdsaP256Sha256, rfc6605::PublicKey());

  EXPECT_EQ(KeyTag(dnskey), 55648);
  EXPECT_EQ(HexEncode(EncodeDs(Name::Parse("example.net").value(), dnskey)),
            "d9600d02b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17");
}

TEST(DnskeyTest, KeyTagAndDsAreThoseOfRfc8080) {
  for (const rfc8080::Example& example : rfc8080::Examples()) {
    const Octets dnskey = EncodeDnskey(kFlagsCsk, kAlgorithmEd25519, example.public_key);
    const Octets ds = EncodeDs(Name::Parse("example.com").value(), dnskey);

    EXPECT_EQ(KeyTag(dnskey), example.key_tag);
    EXPECT_EQ(HexEncode(ds.substr(2, 2)), "0f02");
    EXPECT_EQ(HexEncode(ds.substr(4)), example.ds_digest);
  }
}

}  // namespace
}  // namespace idzone::dns
