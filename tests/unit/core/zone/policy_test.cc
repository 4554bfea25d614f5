// SPDX-License-Identifier: MIT
#include "services/core/zone/policy.h"

#include <gtest/gtest.h>

namespace idzone::zone {
namespace {

TEST(ZonePolicyTest, EveryPolicyToleratesAMissedRenewalAndCachedCopies) {
  for (const char* name : {"fast", "standard", "relaxed"}) {
    const auto policy = FindZonePolicy(name).value();
    for (const SignatureLife& life : {policy.identity, policy.denial, policy.apex}) {
      EXPECT_GE(life.life, 3 * life.resign) << name;
      EXPECT_GE(life.resign.count(), policy.ttl) << name;
      EXPECT_GE(life.resign.count(), policy.apex_ttl) << name;
    }
    // zone-signer/pipeline/sweep.h and its test: none gets older.
    const auto oldest = policy.identity.resign * 3 / 2 + policy.identity.resign / 16;
    EXPECT_EQ(policy.soa_expire, policy.identity.life - oldest) << name;
    EXPECT_LE(policy.negative_ttl, 300u) << name;
    EXPECT_GT(policy.soa_expire, policy.soa_refresh + policy.soa_retry) << name;
  }
}

TEST(ZonePolicyTest, QuarantineIsLifeAndWhatUnboundTolerates) {
  using namespace std::chrono_literals;
  EXPECT_EQ(QuarantineOf(FindZonePolicy("fast").value()), 3h + 1h) << "at least an hour";
  EXPECT_EQ(QuarantineOf(FindZonePolicy("standard").value()), 72h + 73h / 10 + 18min) << "a tenth of life and inception offset";
  EXPECT_EQ(QuarantineOf(FindZonePolicy("relaxed").value()), 240h + 24h) << "at most a day";
}

using namespace std::chrono_literals;

PolicyChoice ValidChoice() {
  return {.ttl = 120, .identity = {24h, 8h}};
}

Error Refusal(const PolicyChoice& choice) {
  const auto policy = MakeZonePolicy("mine", choice);
  EXPECT_FALSE(policy);
  return policy ? Error{} : policy.error();
}

TEST(ZonePolicyTest, AChoiceIsCompletedByTheRules) {
  const auto policy = MakeZonePolicy("mine", ValidChoice()).value();

  EXPECT_EQ(policy.negative_ttl, 120u);
  EXPECT_EQ(policy.denial, policy.identity);
  EXPECT_EQ(policy.apex, policy.identity);
  EXPECT_EQ(policy.apex_ttl, 3600u);
  EXPECT_EQ(policy.soa_expire, 24h - 12h - 30min);
  EXPECT_GE(policy.soa_expire, 2 * (policy.soa_refresh + policy.soa_retry));
}

TEST(ZonePolicyTest, LivesAreSetByClass) {
  auto choice = ValidChoice();
  choice.denial = SignatureLife{6h, 2h};
  choice.apex = SignatureLife{240h, 48h};

  const auto policy = MakeZonePolicy("mine", choice).value();

  EXPECT_EQ(policy.identity.life, 24h);
  EXPECT_EQ(policy.denial.life, 6h);
  EXPECT_EQ(policy.apex.resign, 48h);
  EXPECT_EQ(policy.soa_expire, 6h - 3h - 450s) << "what the oldest signature has left";
}

TEST(ZonePolicyTest, AnImpossibleChoiceIsRefusedByTheFieldThatBreaksARule) {
  struct Case {
    const char* field;
    void (*spoil)(PolicyChoice&);
  };
  const Case cases[] = {
      {"identity.life", [](PolicyChoice& choice) { choice.identity.life = 24h - 1s; }},
      {"identity.life",
       [](PolicyChoice& choice) {
         choice.identity = {720h + 1s, 8h};
       }},
      {"identity.life", [](PolicyChoice& choice) { choice.identity.life = -24h; }},
      {"identity.resign", [](PolicyChoice& choice) { choice.identity.resign = 599s; }},
      {"identity.resign", [](PolicyChoice& choice) { choice.identity.resign = 0s; }},
      {"denial.life",
       [](PolicyChoice& choice) {
         choice.denial = SignatureLife{1h, 1h};
       }},
      {"apex.life",
       [](PolicyChoice& choice) {
         choice.apex = SignatureLife{1h, 1h};
       }},
      {"ttl", [](PolicyChoice& choice) { choice.ttl = 0; }},
      {"ttl", [](PolicyChoice& choice) { choice.ttl = 8 * 3600 + 1; }},
      {"negative_ttl", [](PolicyChoice& choice) { choice.negative_ttl = 3 * 3600 + 1; }},
      {"negative_ttl",
       [](PolicyChoice& choice) {
         choice.denial = SignatureLife{1h, 20min}, choice.negative_ttl = 1201;
       }},
      {"soa_expire", [](PolicyChoice& choice) { choice.soa_expire = 11h + 30min + 1s; }},
      {"soa_expire", [](PolicyChoice& choice) { choice.soa_expire = 0s; }},
      {"keys.key_life", [](PolicyChoice& choice) { choice.keys.key_life = 24h; }},
      {"keys.key_life", [](PolicyChoice& choice) { choice.keys.key_life = -1s; }},
      {"keys.key_life", [](PolicyChoice& choice) { choice.keys.key_life = 24h * 3651; }},
      {"keys.zsk_life", [](PolicyChoice& choice) { choice.keys.zsk_life = 24h * 30; }},
      {"keys.zsk_life",
       [](PolicyChoice& choice) { choice.keys = {.scope = KeyScope::kNamespace, .scheme = KeyScheme::kSplit, .zsk_life = 24h}; }},
  };
  for (const Case& each : cases) {
    auto choice = ValidChoice();
    each.spoil(choice);

    const auto error = Refusal(choice);

    EXPECT_EQ(error.reason, Reason::kValueOutOfRange) << each.field << ": " << error.Detail();
    EXPECT_EQ(error.subject, each.field) << error.Detail();
    EXPECT_FALSE(error.expected.empty() || error.met.empty());
  }
}

TEST(ZonePolicyTest, AKeyLivesFourTimesAsLongAsItsRollTakes) {
  auto choice = ValidChoice();
  choice.keys = {.scope = KeyScope::kZone, .scheme = KeyScheme::kSplit};
  const auto policy = MakeZonePolicy("mine", choice).value();
  EXPECT_EQ(RollDuration(policy, true), 2 * (policy.soa_refresh + policy.soa_retry) + 1h + 8h + 1h);
  EXPECT_EQ(RollDuration(policy, false), RollDuration(policy, true) + 48h) << "the parent has to do its part";

  choice.keys.key_life = 4 * RollDuration(policy, false);
  choice.keys.zsk_life = 4 * RollDuration(policy, true);
  EXPECT_TRUE(MakeZonePolicy("mine", choice));
  choice.keys.zsk_life -= 1s;
  EXPECT_EQ(Refusal(choice).subject, "keys.zsk_life");
}

TEST(ZonePolicyTest, ANameIsOneLowerCaseLabel) {
  for (const std::string& name : {std::string(), std::string("Mine"), std::string("-mine"), std::string("a b"), std::string(33, 'a')})
    EXPECT_EQ(MakeZonePolicy(name, ValidChoice()).error().reason, Reason::kValueMalformed) << name;
  EXPECT_TRUE(MakeZonePolicy("a-2", ValidChoice()));
}

TEST(ZonePolicyTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  const auto error = FindZonePolicy("quick").error();
  EXPECT_EQ(error.reason, Reason::kEnumUnknown);
  EXPECT_EQ(error.expected, "fast, standard or relaxed");
}

}  // namespace
}  // namespace idzone::zone
