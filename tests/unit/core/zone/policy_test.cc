// SPDX-License-Identifier: MIT
#include "services/core/zone/policy.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

TEST(ZonePolicyTest, EveryPolicyToleratesTwoMissedRenewalsAndCachedCopies) {
  for (const char* name : {"fast", "standard", "relaxed"}) {
    const auto policy = FindZonePolicy(name).value();
    for (const SignatureLife& life : {policy.identity, policy.denial, policy.apex}) {
      EXPECT_GE(life.life, 3 * life.resign) << name;
      EXPECT_GE(life.resign.count(), policy.ttl) << name;
      EXPECT_GE(life.resign.count(), policy.apex_ttl) << name;
    }
    EXPECT_LE(policy.soa_expire, policy.identity.life - policy.identity.resign) << name;
    EXPECT_LE(policy.negative_ttl, 300u) << name;
    EXPECT_GT(policy.soa_expire, policy.soa_refresh + policy.soa_retry) << name;
  }
}

TEST(ZonePolicyTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  const auto error = FindZonePolicy("quick").error();
  EXPECT_EQ(error.reason, Reason::kEnumUnknown);
  EXPECT_EQ(error.expected, "fast, standard or relaxed");
}

}  // namespace
}  // namespace idzone::zone
