// SPDX-License-Identifier: MIT
#include "services/core/zone/secondary.h"

#include <gtest/gtest.h>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

const std::string kKey = "hmac-sha256:berlin.transfer:" + Base64Encode(std::string(32, 'k'));

Error Refusal(const std::string& text) {
  return ParseSecondaries(text).error();
}

TEST(SecondaryTest, ALineIsAnIdAnAddressAndAKey) {
  const auto read = ParseSecondaries("# who takes our zones\n\n  berlin\t192.0.2.1  " + kKey + "  # a comment\n").value();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].id, "berlin");
  EXPECT_EQ(read[0].address, "192.0.2.1");
  EXPECT_EQ(read[0].port, 53);
  EXPECT_EQ(read[0].key.name, dns::Name::Parse("berlin.transfer.").value());
  EXPECT_EQ(TsigAlgorithmName(read[0].key.algorithm), "hmac-sha256");
  EXPECT_EQ(read[0].key.secret, std::string(32, 'k'));
}

TEST(SecondaryTest, AddressesOfBothKindsHaveAPortOrNone) {
  const std::vector<std::tuple<std::string, std::string, int>> cases = {{"192.0.2.1:5353", "192.0.2.1", 5353},
                                                                        {"2001:db8::1", "2001:db8::1", 53},
                                                                        {"[2001:db8::1]", "2001:db8::1", 53},
                                                                        {"[2001:db8::1]:5353", "2001:db8::1", 5353}};
  for (const auto& [text, address, port] : cases) {
    const auto read = ParseSecondaries("a " + text + " " + kKey);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->front().address, address);
    EXPECT_EQ(read->front().port, port);
  }
}

TEST(SecondaryTest, WhatIsNoAddressIsRefused) {
  for (const char* text : {"192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:53x", "[2001:db8::1", "[2001:db8::1]53",
                           "[192.0.2.1]:53", "2001:db8:::1", "ns.example.net", ":53", "[]"})
    EXPECT_EQ(Refusal("a " + std::string(text) + " " + kKey).reason, Reason::kValueMalformed) << text;
}

TEST(SecondaryTest, WhatIsNoKeyIsRefusedByItsLineAndWithoutItsSecret) {
  const std::string good = Base64Encode(std::string(32, 'k'));
  const std::vector<std::pair<std::string, Reason>> cases = {
      {"hmac-md5:n.:" + good, Reason::kEnumUnknown},
      {"hmac-sha1:n.:" + good, Reason::kEnumUnknown},
      {"HMAC-SHA256:n.:" + good, Reason::kEnumUnknown},
      {"hmac-sha256:" + good, Reason::kValueMalformed},
      {"hmac-sha256:.:" + good, Reason::kValueMalformed},
      {"hmac-sha256:n.:secret!", Reason::kValueMalformed},
      {"hmac-sha256:n.:" + Base64Encode("short"), Reason::kValueMalformed},
      {"hmac-sha256:a..b:" + good, Reason::kNameMalformed},
      {"hmac-sha256:n.:" + Base64Encode(std::string(129, 'k')), Reason::kValueMalformed}};
  for (const auto& [key, reason] : cases) {
    const Error error = Refusal("\nb 192.0.2.1 " + key);
    EXPECT_EQ(error.reason, reason) << key;
    EXPECT_EQ(error.subject, "list of secondaries, line 2") << key;
    EXPECT_EQ(error.Detail().find(good), std::string::npos);
    EXPECT_EQ(error.Detail().find("secret!"), std::string::npos);
  }
}

TEST(SecondaryTest, WordsTooFewOrTooManyAreRefused) {
  for (const char* text : {"a", "a 192.0.2.1", "a 192.0.2.1 key more", "A_b 192.0.2.1 key", "-a 192.0.2.1 key"})
    EXPECT_EQ(Refusal(text).reason, Reason::kValueMalformed) << text;
}

TEST(SecondaryTest, IdsAndKeysAreNotShared) {
  const std::string other = "hmac-sha256:oslo.transfer:" + Base64Encode(std::string(32, 'k'));
  EXPECT_EQ(Refusal("a 192.0.2.1 " + kKey + "\na 192.0.2.2 " + other).reason, Reason::kAlreadyExists);
  EXPECT_EQ(Refusal("a 192.0.2.1 " + kKey + "\nb 192.0.2.2 " + kKey).reason, Reason::kAlreadyExists);
  EXPECT_EQ(ParseSecondaries("a 192.0.2.1 " + kKey + "\nb 192.0.2.2 " + other).value().size(), 2u);
}

TEST(SecondaryTest, RevocationsTakeAPeriodAndATransfer) {
  using std::chrono::seconds;
  EXPECT_EQ(SecondaryRevocationBound(seconds(10), 0), seconds(10));
  EXPECT_EQ(SecondaryRevocationBound(seconds(10), 1), seconds(11)) << "rounded up";
  EXPECT_EQ(SecondaryRevocationBound(seconds(10), 100'000), seconds(58));
  EXPECT_FALSE(IsTooSlowForSecondaries(60, seconds(60)));
  EXPECT_TRUE(IsTooSlowForSecondaries(60, seconds(61)));
  EXPECT_FALSE(IsTooSlowForSecondaries(61, seconds(1000))) << "such a policy promises nothing that quick";
}

TEST(SecondaryTest, TheListHasALimit) {
  std::string text;
  for (std::size_t i = 0; i <= limits::kSecondariesMax; ++i)
    text += "s" + std::to_string(i) + " 192.0.2.1 hmac-sha256:k" + std::to_string(i) + ":" + Base64Encode(std::string(32, 'k')) + "\n";
  EXPECT_EQ(Refusal(text).reason, Reason::kLimitExceeded);
}

}  // namespace
}  // namespace idzone::zone
