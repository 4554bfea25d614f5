// SPDX-License-Identifier: MIT
#include "services/nameserver/zone_listing.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

constexpr auto kTlsa = Code(dns::RrType::kTlsa);
constexpr auto kRrsig = Code(dns::RrType::kRrsig);
constexpr auto kSoa = Code(dns::RrType::kSoa);
constexpr auto kNs = Code(dns::RrType::kNs);

TEST(ZoneListingTest, ListingHasEverythingThatPowerDnsDoesNotMakeItself) {
  ServedReplica replica;
  replica.Load(7);
  replica::Snapshot snapshot(replica.writer().environment());
  Must(snapshot.Renew());
  ZoneListing listing(*Must(FindServedZone(snapshot, replica.apex)), KeepRdata);
  std::multiset<std::pair<std::string, std::uint16_t>> listed;
  while (auto entry = Must(listing.Next(snapshot)))
    for (const auto& record : entry->records) listed.insert({entry->owner.Format(), record.type});

  std::multiset<std::pair<std::string, std::uint16_t>> expected = {
      {"_device.acme.example.", kNs},       {"_device.acme.example.", kSoa},       {"_device.acme.example.", kRrsig},
      {"_device.acme.example.", kRrsig},    {"_device.acme.example.", kRrsig},     {"e._device.acme.example.", kEmptyType},
      {"d.e._device.acme.example.", kTlsa}, {"d.e._device.acme.example.", kRrsig}, {"cut._device.acme.example.", kNs}};
  for (const dns::Name& name : {replica.apex, replica.identity, replica.cut, MakeName("e._device.acme.example.")})
    expected.insert({dns::Nsec3Owner(dns::Nsec3Hash(name), replica.apex).Format(), kRrsig});
  EXPECT_EQ(listed, expected);
}

TEST(ZoneListingTest, ListingOfAnNsecZoneHasTheDenialSignaturesAtTheNames) {
  ServedReplica replica(dns::DenialKind::kNsec);
  replica.Load(7);
  replica::Snapshot snapshot(replica.writer().environment());
  Must(snapshot.Renew());
  ZoneListing listing(*Must(FindServedZone(snapshot, replica.apex)), KeepRdata);
  std::vector<std::pair<std::string, std::uint16_t>> listed;
  while (auto entry = Must(listing.Next(snapshot)))
    for (const auto& record : entry->records) listed.emplace_back(entry->owner.Format(), record.type);

  const std::vector<std::pair<std::string, std::uint16_t>> expected = {
      {"_device.acme.example.", kNs},        {"_device.acme.example.", kRrsig},    {"_device.acme.example.", kSoa},
      {"_device.acme.example.", kRrsig},     {"_device.acme.example.", kRrsig},    {"cut._device.acme.example.", kNs},
      {"cut._device.acme.example.", kRrsig}, {"d.e._device.acme.example.", kTlsa}, {"d.e._device.acme.example.", kRrsig},
      {"d.e._device.acme.example.", kRrsig}};
  EXPECT_EQ(listed, expected);
}

TEST(ZoneListingTest, EndsWithAnErrorWhenANodeIsMissing) {
  for (const auto kind : {dns::DenialKind::kNsec3, dns::DenialKind::kNsec}) {
    ServedReplica replica(kind);
    for (const dns::Name& missing : {replica.identity, replica.cut}) {
      replica.Load(7);
      replica::Snapshot snapshot(replica.writer().environment());
      Must(snapshot.Renew());
      const ServedZone zone = *Must(FindServedZone(snapshot, replica.apex));
      auto damage = Must(replica::WriteTransaction::Begin(replica.writer().environment()));
      ASSERT_TRUE(Must(damage.Remove(replica::Tree::kNode, replica::EncodeNodeKey(zone.record.generation, LookUpKey(zone, missing)))));
      ASSERT_TRUE(damage.Commit());
      Must(snapshot.Renew());
      ZoneListing listing(zone, KeepRdata);

      auto entry = listing.Next(snapshot);
      while (entry && *entry) entry = listing.Next(snapshot);

      ASSERT_FALSE(entry) << missing.Format();
      EXPECT_EQ(entry.error().reason, Reason::kEncodingMalformed);
    }
  }
}

}  // namespace
}  // namespace idzone::nameserver
