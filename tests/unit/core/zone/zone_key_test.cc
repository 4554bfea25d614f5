// SPDX-License-Identifier: MIT
#include "services/core/zone/zone_key.h"

#include <gtest/gtest.h>

#include "services/core/zone/denial_signatures.h"

namespace idzone::zone {
namespace {

TEST(ZoneKeyTest, UsesAreStoredInFourBits) {
  for (std::uint8_t bits = 0; bits < 16; ++bits) EXPECT_EQ(EncodeKeyUses(DecodeKeyUses(bits)), bits);
  EXPECT_EQ(EncodeKeyUses(AllUses(KeyRole::kCsk)), 15);
  EXPECT_EQ(EncodeKeyUses(AllUses(KeyRole::kKsk)), 1 | 2 | 8);
  EXPECT_EQ(EncodeKeyUses(AllUses(KeyRole::kZsk)), 1 | 4);
}

TEST(ZoneKeyTest, OnlyKeysThatSignKeysAreEntryPoints) {
  EXPECT_EQ(DnskeyFlags(KeyRole::kCsk), 257);
  EXPECT_EQ(DnskeyFlags(KeyRole::kKsk), 257);
  EXPECT_EQ(DnskeyFlags(KeyRole::kZsk), 256);
}

/// What no RRSIG of a denial record begins with but its own type: 47 NSEC, 50 NSEC3.
const Octets kOne = Octets("\0\x32", 2) + Octets(80, 'a');
const Octets kTwo = Octets("\0\x32", 2) + Octets(90, 'b');

TEST(DenialSignaturesTest, OneIsItself) {
  EXPECT_EQ(EncodeDenialSignatures({kOne}), kOne);
  EXPECT_EQ(DecodeDenialSignatures(kOne), std::vector{kOne});
}

TEST(DenialSignaturesTest, TwoComeBackInTheirOrder) {
  EXPECT_EQ(DecodeDenialSignatures(EncodeDenialSignatures({kOne, kTwo})), (std::vector{kOne, kTwo}));
}

TEST(DenialSignaturesTest, NothingBehindAFaultIsRead) {
  const Octets field = EncodeDenialSignatures({kOne, kTwo});
  for (std::size_t size = 2; size < field.size(); ++size) EXPECT_LE(DecodeDenialSignatures(field.substr(0, size)).size(), 1u) << size;
  EXPECT_TRUE(DecodeDenialSignatures(field.substr(0, 2)).empty());
}

}  // namespace
}  // namespace idzone::zone
