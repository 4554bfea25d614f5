// SPDX-License-Identifier: MIT
#include "services/replica/key_memory.h"

#include <gtest/gtest.h>

#include "tests/unit/replica/signed_zone.h"

namespace idzone::replica {
namespace {

dns::RrSet Find(const SignedZone& zone, dns::RrType type) {
  const zone::NodeChange apex = zone.Apex();
  for (const dns::RrSet& rrset : apex.data->rrsets) {
    if (rrset.type == type) return rrset;
  }
  return {};
}

struct KeyMemoryTest : testing::TestWithParam<SignedZone::Options> {
  SignedZone zone{GetParam()};
  dns::RrSet dnskeys = Find(zone, dns::RrType::kDnskey);
  KeyMemory memory;

  Reason Verify(const dns::RrSet& rrset, const std::vector<Octets>& pins, UnixTime now) {
    const auto verifier = memory.Verify(zone.name(), rrset, pins, now);
    return verifier ? Reason{} : verifier.error().reason;
  }
};

TEST_P(KeyMemoryTest, WhatWasVerifiedVerifiesAgainAndNothingElseDoes) {
  const std::vector<Octets> pins = {zone.Ds()};
  const dns::RrSet soa = Find(zone, dns::RrType::kSoa);
  for (int round = 0; round < 2; ++round) {
    const auto verifier = memory.Verify(zone.name(), dnskeys, pins, zone.now());
    ASSERT_TRUE(verifier) << verifier.error().Detail();
    EXPECT_TRUE(verifier->CheckRrSet(zone.name(), soa, zone.now()));

    dns::RrSet other = dnskeys;
    other.rrsigs[0].back() = static_cast<char>(other.rrsigs[0].back() ^ 1);
    EXPECT_EQ(Verify(other, pins, zone.now()), Reason::kSignatureInvalid);
    other = dnskeys;
    other.ttl += 1;
    EXPECT_EQ(Verify(other, pins, zone.now()), Reason::kSignatureInvalid);
    other = dnskeys;
    other.rdatas.push_back(SignedZone(GetParam()).dnskey());
    EXPECT_EQ(Verify(other, pins, zone.now()), Reason::kSignatureInvalid);
    EXPECT_EQ(Verify(dnskeys, {SignedZone(GetParam()).Ds()}, zone.now()), Reason::kKeyNotPinned);
    EXPECT_EQ(Verify(dnskeys, {}, zone.now()), Reason::kKeyNotPinned);
  }
}

TEST_P(KeyMemoryTest, ASignatureIsRememberedForItsPeriod) {
  const std::vector<Octets> pins = {zone.Ds()};
  const auto hour = std::chrono::hours(1);
  const auto second = std::chrono::seconds(1);
  EXPECT_EQ(Verify(dnskeys, pins, zone.now()), Reason{});
  EXPECT_EQ(Verify(dnskeys, pins, zone.now() + hour), Reason{});
  EXPECT_EQ(Verify(dnskeys, pins, zone.now() + hour + second), Reason::kSignatureInvalid);
  EXPECT_EQ(Verify(dnskeys, pins, zone.now() - hour), Reason{});
  EXPECT_EQ(Verify(dnskeys, pins, zone.now() - hour - second), Reason::kSignatureInvalid);
}

TEST_P(KeyMemoryTest, ZonesOfOneKeyAreToldApart) {
  SignedZone::Options options = GetParam();
  options.name = "0._device.acme.example.";
  SignedZone child(options);
  child.SetKeys(zone.key(), {zone.dnskey()});
  child.Publish({});
  ASSERT_EQ(Verify(dnskeys, {zone.Ds()}, zone.now()), Reason{});

  const auto verifier = memory.Verify(child.name(), Find(child, dns::RrType::kDnskey), {child.Ds()}, child.now());
  ASSERT_TRUE(verifier) << verifier.error().Detail();
  EXPECT_TRUE(verifier->CheckRrSet(child.name(), Find(child, dns::RrType::kSoa), child.now()));
  EXPECT_FALSE(verifier->CheckRrSet(zone.name(), Find(zone, dns::RrType::kSoa), zone.now()));
  EXPECT_EQ(Verify(Find(child, dns::RrType::kDnskey), {zone.Ds()}, zone.now()), Reason::kSignatureInvalid);
}

INSTANTIATE_TEST_SUITE_P(EachAlgorithm, KeyMemoryTest,
                         testing::Values(SignedZone::Options{dns::DenialKind::kNsec3, 13},
                                         SignedZone::Options{dns::DenialKind::kNsec3, 15}));

}  // namespace
}  // namespace idzone::replica
