// SPDX-License-Identifier: MIT
#include "services/verifier/openpgp_match.h"

#include <gtest/gtest.h>

namespace idzone::verifier {
namespace {

// gpg --quick-gen-key 'hugh <hugh@example.com>' ed25519 sign never; gpg --export --export-options export-minimal hugh
constexpr char kHugh[] =
    "9833046b06264116092b06010401da470f01010740ffee4eaa9fd9aefb170be33b9aaa43fbee9121c7c30b88dfa881d2ddb8"
    "4664f6b41768756768203c68756768406578616d706c652e636f6d3e88900413160800381621047ad9dd9043ef8b04588522"
    "44cc7ac431cfda311c05026b062641021b03050b0908070206150a09080b020416020301021e01021780000a0910cc7ac431"
    "cfda311c3b8900ff549fbbaee42395ee4c5bd13cb4251f23cfb1165c3fa064689a90f682fe050e2701008c9b6ea5f55a103b"
    "c82579609c3dbbac9ec1c86f15fb830e32dbc3e8b72cd20c";
// The same key after gpg --quick-add-uid hugh@example.com 'hugh2 <hugh2@example.com>'
constexpr char kHughWithTwoNames[] =
    "9833046b06264116092b06010401da470f01010740ffee4eaa9fd9aefb170be33b9aaa43fbee9121c7c30b88dfa881d2ddb8"
    "4664f6b41768756768203c68756768406578616d706c652e636f6d3e88900413160800381621047ad9dd9043ef8b04588522"
    "44cc7ac431cfda311c05026b062641021b03050b0908070206150a09080b020416020301021e01021780000a0910cc7ac431"
    "cfda311c3b8900ff549fbbaee42395ee4c5bd13cb4251f23cfb1165c3fa064689a90f682fe050e2701008c9b6ea5f55a103b"
    "c82579609c3dbbac9ec1c86f15fb830e32dbc3e8b72cd20cb4196875676832203c6875676832406578616d706c652e636f6d"
    "3e88900413160800381621047ad9dd9043ef8b0458852244cc7ac431cfda311c05026b062641021b03050b0908070206150a"
    "09080b020416020301021e01021780000a0910cc7ac431cfda311c3b1600fe2e6458b3c2f4dee5ec578e132d69a0d4e29e67"
    "bbb6220cb6b11d0fd91be60eb30100db7d7b799366c805d10b90f57f345d22d069d1f633af2e490465132fa6dacd0b";
// gpg --quick-gen-key 'other <other@example.com>' ed25519 sign never
constexpr char kOther[] =
    "9833046b06264116092b06010401da470f01010740244d69b8ae244de5d63e3e4df58ee4381cfe0b52791e8126fbeed50225"
    "ac4264b4196f74686572203c6f74686572406578616d706c652e636f6d3e8890041316080038162104894f1083f37a819e98"
    "35de2d370a50491096c59805026b062641021b03050b0908070206150a09080b020416020301021e01021780000a0910370a"
    "50491096c59818bb0100d6d75f6855e21b0bfb54c3df772554d54a001d67cba9c21d73b99761ce86e63801008622849faea0"
    "52fa367c726176aaa07b6dfc6fd541e1a71927638da13b04ae03";

Octets Packets(const char* hex) {
  return HexDecode(hex, "hex").value();
}

identity::OpenPgpKey Key(const char* hex) {
  return identity::OpenPgpKey::Parse(Packets(hex)).value();
}

TEST(OpenPgpMatchTest, ThePrimaryKeyDecides) {
  EXPECT_TRUE(MatchOpenPgp({Packets(kHugh)}, Key(kHugh)).matched);
  EXPECT_TRUE(MatchOpenPgp({Packets(kHugh)}, Key(kHughWithTwoNames)).matched);
  EXPECT_TRUE(MatchOpenPgp({Packets(kOther), Packets(kHughWithTwoNames)}, Key(kHugh)).matched);
}

TEST(OpenPgpMatchTest, AnotherKeyIsSaidToBeAnother) {
  const Match match = MatchOpenPgp({Packets(kOther)}, Key(kHugh));

  EXPECT_FALSE(match.matched);
  EXPECT_EQ(match.usable, 1u);
  EXPECT_NE(match.why.find("another one"), std::string::npos) << match.why;
}

TEST(OpenPgpMatchTest, ARecordThatIsNoKeyIsUnusable) {
  const Match match = MatchOpenPgp({Packets(kHugh).substr(0, 100), Octets()}, Key(kHugh));

  EXPECT_FALSE(match.matched);
  EXPECT_EQ(match.usable, 0u);
  EXPECT_NE(match.why.find("cannot be used"), std::string::npos) << match.why;
}

}  // namespace
}  // namespace idzone::verifier
