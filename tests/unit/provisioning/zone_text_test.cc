// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_text.h"

#include <gtest/gtest.h>

#include "services/core/dns/denial.h"
#include "services/core/dns/presentation.h"

namespace idzone::provisioning {
namespace {

const dns::Name kZone = *dns::Name::Parse("_device.acme.example.");

/// An RRSIG of the right shape; its signature means nothing.
Octets Rrsig(dns::RrType type) {
  dns::RrsigFields fields;
  fields.type_covered = type;
  fields.algorithm = 13;
  fields.signer = kZone.wire();
  return dns::EncodeRrsigPrefix(fields) + Octets(64, 's');
}

TEST(ZoneTextTest, EmptyNonTerminalHasOnlyItsDenial) {
  const dns::Name owner = *kZone.Prepend("a1");
  const zone::Node node{owner, {}, {Octets(20, '\1'), Rrsig(dns::RrType::kNsec3)}};
  std::string text;

  ASSERT_TRUE(AppendNode(text, {kZone, dns::DenialKind::kNsec3, 300}, dns::Nsec3Hash(owner), node));

  const std::string label = Base32HexEncode(dns::Nsec3Hash(owner));
  EXPECT_EQ(text.find(label + "._device.acme.example.\t300\tIN\tNSEC3\t1 0 0 - "), 0u) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find("TLSA"), std::string::npos);
}

TEST(ZoneTextTest, DeviceHasItsRecordsSignaturesAndDenialWithRrsigInTheBitmap) {
  const dns::Name owner = *kZone.Prepend("sensor1");
  const dns::RrSet tlsa{dns::RrType::kTlsa, 300, {Octets("\3\1\1", 3) + Octets(32, 'k')}, {Rrsig(dns::RrType::kTlsa)}};
  const zone::Node node{owner, {tlsa}, {Octets(20, '\1'), Rrsig(dns::RrType::kNsec3)}};
  std::string text;

  ASSERT_TRUE(AppendNode(text, {kZone, dns::DenialKind::kNsec3, 60}, dns::Nsec3Hash(owner), node));

  EXPECT_EQ(text.find("sensor1._device.acme.example.\t300\tIN\tTLSA\t3 1 1 "), 0u) << text;
  EXPECT_NE(text.find("\tRRSIG\tTLSA 13 "), std::string::npos);
  EXPECT_NE(text.find("RRSIG TLSA"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(ZoneTextTest, AnNsecRecordStandsAtTheDeviceItself) {
  const dns::Name owner = *kZone.Prepend("sensor1");
  const dns::RrSet tlsa{dns::RrType::kTlsa, 300, {Octets("\3\1\1", 3) + Octets(32, 'k')}, {Rrsig(dns::RrType::kTlsa)}};
  const zone::Node node{owner, {tlsa}, {kZone.wire(), Rrsig(dns::RrType::kNsec)}};
  std::string text;

  ASSERT_TRUE(AppendNode(text, {kZone, dns::DenialKind::kNsec, 60}, dns::CanonicalKey(owner, kZone), node));

  EXPECT_NE(text.find("\nsensor1._device.acme.example.\t60\tIN\tNSEC\t_device.acme.example. RRSIG NSEC TLSA"), std::string::npos) << text;
  EXPECT_NE(text.find("\nsensor1._device.acme.example.\t60\tIN\tRRSIG\tNSEC 13 "), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(ZoneTextTest, ANodeOfTheOtherKindIsAnErrorAndNotARecord) {
  const dns::Name owner = *kZone.Prepend("sensor1");
  const zone::Node node{owner, {}, {Octets(20, '\1'), Rrsig(dns::RrType::kNsec3)}};
  std::string text;

  EXPECT_FALSE(AppendNode(text, {kZone, dns::DenialKind::kNsec, 60}, dns::Nsec3Hash(owner), node));
}

TEST(ZoneTextTest, DenialTtlIsTheLesserOfTheSoasTwo) {
  const auto apex = [](dns::Ttl ttl, std::uint32_t minimum) {
    dns::SoaFields soa;
    soa.minimum = minimum;
    return zone::Node{kZone, {{dns::RrType::kSoa, ttl, {dns::EncodeSoa(soa)}, {}}}, {}};
  };

  EXPECT_EQ(*DenialTtl(apex(300, 60)), 60u);
  EXPECT_EQ(*DenialTtl(apex(30, 60)), 30u);
  EXPECT_FALSE(DenialTtl(zone::Node{kZone, {}, {}}));
}

}  // namespace
}  // namespace idzone::provisioning
