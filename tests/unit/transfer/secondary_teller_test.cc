// SPDX-License-Identifier: MIT
#include "services/transfer/secondary_teller.h"

#include <gtest/gtest.h>

namespace idzone::transfer {
namespace {

using zone::SecondaryStanding;
using Standings = std::vector<SecondaryStanding>;

const dns::Name kZone = dns::Name::Parse("_device.acme.example").value();
const dns::Name kOther = dns::Name::Parse("_device.other.example").value();

SecondaryStanding At(const dns::Name& zone, dns::Serial serial) {
  return {.secondary = "nsd", .zone = zone, .serves = true, .epoch = 1, .serial = serial};
}

TEST(SecondaryTellerTest, OnlyWhatIsNewIsTold) {
  SecondaryTeller teller;
  EXPECT_EQ(teller.Take(10), Standings());
  teller.Set({At(kZone, 1), At(kOther, 1)});
  EXPECT_EQ(teller.Take(10), (Standings{At(kZone, 1), At(kOther, 1)}));
  EXPECT_EQ(teller.Take(10), Standings());
  teller.Set({At(kZone, 1), At(kOther, 2)});
  EXPECT_EQ(teller.Take(10), Standings{At(kOther, 2)});
}

TEST(SecondaryTellerTest, WhatDoesNotFitIsToldNext) {
  SecondaryTeller teller;
  teller.Set({At(kZone, 1), At(kOther, 1)});
  EXPECT_EQ(teller.Take(1), Standings{At(kZone, 1)});
  EXPECT_EQ(teller.Take(1), Standings{At(kOther, 1)});
  EXPECT_EQ(teller.Take(1), Standings());
}

TEST(SecondaryTellerTest, AnotherListenerIsToldEverything) {
  SecondaryTeller teller;
  teller.Set({At(kZone, 1)});
  EXPECT_EQ(teller.Take(10), Standings{At(kZone, 1)});
  teller.Forget();
  EXPECT_EQ(teller.Take(10), Standings{At(kZone, 1)});
}

}  // namespace
}  // namespace idzone::transfer
