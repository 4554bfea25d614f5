// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/delta_sizes.h"

#include <gtest/gtest.h>

#include "services/core/base/limits.h"

namespace idzone::signer::pipeline {
namespace {

constexpr std::int32_t kNamespace = 7, kOther = 8;
constexpr std::int64_t kMessage = limits::kFeedMessageOctetsMax;

TEST(DeltaSizesTest, WhatIsNotKnownIsTakenToBeLarge) {
  const DeltaSizes sizes;

  EXPECT_GE(sizes.NamesThatFit(kNamespace), 1);
  EXPECT_LE(sizes.NamesThatFit(kNamespace) * 4096, kMessage) << "a SMIMEA record may have that many octets";
}

TEST(DeltaSizesTest, HalfAMessageIsFilledByWhatNamesCameTo) {
  DeltaSizes sizes;

  sizes.Learn(kNamespace, 1000, 500'000);

  EXPECT_NEAR(static_cast<double>(sizes.NamesThatFit(kNamespace)), kMessage / 2.0 / 500, kMessage / 2.0 / 500 / 100);
  EXPECT_LT(sizes.NamesThatFit(kOther), sizes.NamesThatFit(kNamespace)) << "another namespace's names may be larger";
}

TEST(DeltaSizesTest, LargerNamesCountAtOnceAndSmallerOnesLittleByLittle) {
  DeltaSizes sizes;
  sizes.Learn(kNamespace, 1000, 500'000);
  const std::int64_t small = sizes.NamesThatFit(kNamespace);

  sizes.Learn(kNamespace, 1000, 4'000'000);
  const std::int64_t large = sizes.NamesThatFit(kNamespace);
  EXPECT_LE(large * 4000, kMessage / 2);

  sizes.Learn(kNamespace, 1000, 500'000);
  EXPECT_LT(sizes.NamesThatFit(kNamespace), small);
  for (int i = 0; i < 60; ++i) sizes.Learn(kNamespace, 1000, 500'000);
  EXPECT_NEAR(static_cast<double>(sizes.NamesThatFit(kNamespace)), static_cast<double>(small), static_cast<double>(small) / 20);
}

TEST(DeltaSizesTest, AFewNamesAndNoVersionSayNothing) {
  DeltaSizes sizes;
  sizes.Learn(kNamespace, 1000, 500'000);
  const std::int64_t before = sizes.NamesThatFit(kNamespace);

  sizes.Learn(kNamespace, 1, 100'000);
  sizes.Learn(kNamespace, 1000, 0);

  EXPECT_EQ(sizes.NamesThatFit(kNamespace), before);
}

TEST(DeltaSizesTest, OneNameFitsWhateverItsSize) {
  DeltaSizes sizes;
  sizes.Learn(kNamespace, 64, 64 * kMessage);

  EXPECT_EQ(sizes.NamesThatFit(kNamespace), 1);
}

}  // namespace
}  // namespace idzone::signer::pipeline
