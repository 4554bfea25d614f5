// SPDX-License-Identifier: MIT
#include "cli/delegation_query.h"

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

const Delegation kWanted{{"ns1.example.net.", "ns2.example.net."}, {"12345 13 2 ab12"}};

TEST(DelegationTest, IsReadFromTheLinesForTheParent) {
  EXPECT_EQ(ParseDelegation({"_device.acme.example. 3600 IN NS NS1.example.net.", "_device.acme.example. 3600 IN NS ns2.example.net.",
                             "_device.acme.example. 3600 IN DS 12345 13 2 AB 12"}),
            kWanted);
}

TEST(DelegationTest, AgreesWithItselfAndWithOtherDigestsOfTheSameKey) {
  EXPECT_TRUE(CompareDelegations(kWanted, kWanted).empty());
  Delegation more = kWanted;
  more.delegation_signers.insert("12345 13 4 ffff");
  EXPECT_TRUE(CompareDelegations(kWanted, more).empty());
}

TEST(DelegationTest, TellsWhatIsMissingAndWhatIsTooMuch) {
  const Delegation met{{"ns1.example.net.", "old.example.net."}, {"12345 13 2 ab12", "54321 13 2 cd34"}};

  EXPECT_EQ(CompareDelegations(kWanted, met),
            (std::vector<std::string>{"NS ns2.example.net. is missing", "NS old.example.net. is no server of the zone",
                                      "DS 54321 13 2 cd34 is of no key of the zone"}));
}

TEST(DelegationTest, AnUnsignedDelegationIsAProblem) {
  const auto problems = CompareDelegations(kWanted, {kWanted.name_servers, {}});

  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems.front().find("there is no DS"), std::string::npos);
}

TEST(DelegationTest, NoDelegationIsTheOnlyProblem) {
  EXPECT_EQ(CompareDelegations(kWanted, {}), std::vector<std::string>{"there is no delegation"});
}

TEST(DelegationTest, RefusesWhatIsNoAddress) {
  const auto zone = dns::Name::Parse("_device.acme.example.").value();
  for (const char* server : {"ns1.example.net", "127.0.0.1@", "127.0.0.1@x", "127.0.0.1@0", "127.0.0.1@65536", ""})
    EXPECT_EQ(QueryDelegation(zone, server).error().reason, Reason::kValueMalformed) << server;
}

}  // namespace
}  // namespace idzone::cli
