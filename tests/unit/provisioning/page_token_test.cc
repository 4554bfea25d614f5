// SPDX-License-Identifier: MIT
#include "services/provisioning/page_token.h"

#include <gtest/gtest.h>

namespace idzone::provisioning {
namespace {

const ListName kList{"ListIdentities", "_device.acme.example.|1"};

Reason ReasonOf(const Result<store::PageOf>& page) {
  return page ? Reason::kInternal : page.error().reason;
}

TEST(PageTokenTest, FirstPageHasTheDefaultSize) {
  const auto page = ReadPage(kList, 0, "");

  ASSERT_TRUE(page);
  EXPECT_EQ(page->after, "");
  EXPECT_EQ(page->limit, 100u);
}

TEST(PageTokenTest, TokenContinuesAfterTheLastKey) {
  const auto page = ReadPage(kList, 7, MakePageToken(kList, "sensor41"));

  ASSERT_TRUE(page);
  EXPECT_EQ(page->after, "sensor41");
  EXPECT_EQ(page->limit, 7u);
}

TEST(PageTokenTest, KeysMayHoldAnyOctet) {
  const Octets key("\0\xff\x01", 3);

  EXPECT_EQ(ReadPage(kList, 1, MakePageToken(kList, key))->after, key);
}

TEST(PageTokenTest, TokenOfAnotherListIsRefused) {
  const std::string token = MakePageToken(kList, "sensor41");

  EXPECT_EQ(ReasonOf(ReadPage({"ListIdentities", "_device.beta.example.|1"}, 0, token)), Reason::kPageTokenInvalid);
  EXPECT_EQ(ReasonOf(ReadPage({"ListZones", kList.selection}, 0, token)), Reason::kPageTokenInvalid);
}

TEST(PageTokenTest, AlteredOrMadeUpTokensAreRefused) {
  std::string token = MakePageToken(kList, "sensor41");
  token.back() = token.back() == '0' ? '1' : '0';

  for (const std::string& bad : {token, std::string("x"), std::string("00"), std::string(16, '0'), std::string(100'000, '0')})
    EXPECT_EQ(ReasonOf(ReadPage(kList, 0, bad)), Reason::kPageTokenInvalid) << bad.substr(0, 40);
}

TEST(PageTokenTest, PageSizeHasALimit) {
  EXPECT_TRUE(ReadPage(kList, 1000, ""));
  EXPECT_EQ(ReasonOf(ReadPage(kList, 1001, "")), Reason::kValueOutOfRange);
}

}  // namespace
}  // namespace idzone::provisioning
