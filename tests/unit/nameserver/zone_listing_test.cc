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

}  // namespace
}  // namespace idzone::nameserver
