// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/apex.h"

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/presentation.h"
#include "zone-signer/signing/batch_signer.h"

namespace idzone::signer::pipeline {
namespace {

constexpr UnixTime kNow(std::chrono::seconds(1'800'000'000));

store::NamespaceRow ValidNamespace() {
  store::NamespaceRow row;
  row.apex = dns::Name::Parse("_device.acme.example.").value();
  row.policy = zone::FindZonePolicy("standard").value();
  row.name_servers = {dns::Name::Parse("ns2.example.net.").value(), dns::Name::Parse("ns1.example.net.").value()};
  return row;
}

class ApexTest : public ::testing::Test {
 protected:
  /// A published apex, signed at that time.
  DraftNode PublishedApex(UnixTime signed_at) {
    DraftNode node;
    node.row.owner = namespace_.apex;
    node.row.rrsets = Desired(7);
    std::vector<signing::SigningJob> jobs;
    for (const auto& rrset : node.row.rrsets) jobs.push_back({namespace_.apex, rrset.type, rrset.ttl, rrset.rdatas, policy_.apex.life, {}});
    const std::vector<Octets> dnskeys = Keys().Dnskeys();
    const keys::ZoneKeys keys = Keys();
    const signing::ZoneSigning zone{namespace_.apex, keys, dnskeys, signed_at, policy_.inception_offset};
    EXPECT_TRUE(signing::BatchSigner(1, 1).Sign(zone, jobs).has_value());
    for (std::size_t i = 0; i < jobs.size(); ++i) node.row.rrsets[i].rrsigs = jobs[i].rrsigs;
    return node;
  }
  std::vector<dns::RrSet> Desired(dns::Serial serial) {
    return DesiredApex(namespace_.apex, namespace_, policy_, Keys(), tell_parent_, serial);
  }
  keys::ZoneKeys Keys() const { return keys_.value_or(keys::ZoneKeys::Single(key_)); }
  Result<UnixTime> Refresh(DraftNode& apex, UnixTime now) { return RefreshApex(apex, Desired(7), Keys(), policy_, now); }

  store::NamespaceRow namespace_ = ValidNamespace();
  zone::ZonePolicy policy_ = zone::FindZonePolicy("standard").value();
  keys::SigningKey key_ = keys::SigningKey::Generate(13).value();
  std::optional<keys::ZoneKeys> keys_;  // instead of that one
  bool tell_parent_ = false;
};

TEST_F(ApexTest, SaysWhatThePolicySays) {
  const auto rrsets = Desired(7);

  ASSERT_EQ(rrsets.size(), 4u);
  EXPECT_EQ(rrsets[0].type, dns::RrType::kNs);
  EXPECT_EQ(rrsets[0].rdatas.size(), 2u);
  const auto soa = dns::ParseSoa(rrsets[1].rdatas.front()).value();
  EXPECT_EQ(soa.primary.Format(), "ns2.example.net.");
  EXPECT_EQ(soa.mailbox.Format(), "hostmaster._device.acme.example.");
  EXPECT_EQ(soa.serial, 7u);
  EXPECT_EQ(soa.minimum, policy_.negative_ttl);
  EXPECT_EQ(rrsets[1].ttl, policy_.negative_ttl);
  EXPECT_EQ(rrsets[2].rdatas.front(), key_.dnskey());
  EXPECT_EQ(dns::FormatRecord(namespace_.apex, rrsets[3].ttl, rrsets[3].type, rrsets[3].rdatas.front()),
            "_device.acme.example.\t300\tIN\tNSEC3PARAM\t1 0 0 - ");
}

TEST_F(ApexTest, HasNoNsec3ParamInAnNsecZone) {
  namespace_.denial = dns::DenialKind::kNsec;

  const auto rrsets = Desired(7);

  ASSERT_EQ(rrsets.size(), 3u);
  EXPECT_EQ(rrsets.back().type, dns::RrType::kDnskey);
}

TEST_F(ApexTest, PublishesAnEd25519Key) {
  key_ = keys::SigningKey::Generate(15).value();

  const auto rrsets = Desired(7);

  const std::string line = dns::FormatRecord(namespace_.apex, rrsets[2].ttl, rrsets[2].type, rrsets[2].rdatas.front());
  EXPECT_EQ(line.find("_device.acme.example.\t3600\tIN\tDNSKEY\t257 3 15 "), 0u) << line;
}

TEST_F(ApexTest, StaysWhileItsSignaturesAreYoung) {
  DraftNode apex = PublishedApex(kNow);

  const auto due = Refresh(apex, kNow + std::chrono::hours(5));

  EXPECT_EQ(due.value(), kNow + policy_.apex.resign);
  EXPECT_FALSE(apex.data_changed);
}

TEST_F(ApexTest, IsSignedAgainInTime) {
  DraftNode apex = PublishedApex(kNow);

  const auto due = Refresh(apex, kNow + policy_.apex.resign);

  EXPECT_EQ(due.value(), kNow + 2 * policy_.apex.resign);
  EXPECT_TRUE(apex.data_changed);
  EXPECT_FALSE(apex.denial_changed);
  for (const auto& rrset : apex.row.rrsets) EXPECT_EQ(rrset.rrsigs.empty(), rrset.type != dns::RrType::kSoa);
}

TEST_F(ApexTest, IsSignedAgainWhenItsSignaturesAreOfTheFuture) {
  DraftNode apex = PublishedApex(kNow + std::chrono::hours(29));

  const auto due = Refresh(apex, kNow);

  EXPECT_EQ(due.value(), kNow + policy_.apex.resign);
  EXPECT_TRUE(apex.data_changed);
  for (const dns::RrSet& rrset : apex.row.rrsets) EXPECT_EQ(rrset.rrsigs.empty(), rrset.type != dns::RrType::kSoa);
}

TEST_F(ApexTest, StaysWhenAnotherSignersClockIsALittleAhead) {
  DraftNode apex = PublishedApex(kNow + std::chrono::minutes(1));

  EXPECT_TRUE(Refresh(apex, kNow).has_value());
  EXPECT_FALSE(apex.data_changed);
}

TEST_F(ApexTest, FollowsTheNamespacesNameServers) {
  DraftNode apex = PublishedApex(kNow);
  namespace_.name_servers.pop_back();

  ASSERT_TRUE(Refresh(apex, kNow).has_value());

  EXPECT_TRUE(apex.data_changed);
  EXPECT_EQ(apex.row.rrsets.front().rdatas.size(), 1u);
}

TEST_F(ApexTest, LosesTypesThatDoNotBelongThere) {
  DraftNode apex = PublishedApex(kNow);
  const dns::RrSet stray{dns::RrType::kCds, 300, {Octets("\x03\x01\x01z", 4)}, {}};
  VersionDraft::SetRrSet(apex, stray.type, &stray);

  ASSERT_TRUE(Refresh(apex, kNow).has_value());

  EXPECT_EQ(apex.row.rrsets.size(), 4u);
  EXPECT_TRUE(apex.denial_changed);
}

TEST_F(ApexTest, KeepsTheRecordsOfIdentities) {
  DraftNode apex = PublishedApex(kNow);
  const dns::RrSet service{dns::RrType::kTlsa, 300, {Octets("\x03\x01\x01z", 4)}, {}};
  VersionDraft::SetRrSet(apex, service.type, &service);

  ASSERT_TRUE(Refresh(apex, kNow).has_value());

  EXPECT_EQ(apex.row.rrsets.size(), 5u);
}

class RollingApexTest : public ApexTest {
 protected:
  /// A roll at its switch: the old key still signs keys, the new one everything.
  void Switch() {
    const zone::KeyUses old_uses{.in_dnskey = true, .signs_keys = true, .signs_data = false, .in_ds = false};
    keys_ = keys::ZoneKeys({keys::MakeZoneKey(key_, zone::KeyRole::kCsk, old_uses),
                            keys::MakeZoneKey(next_, zone::KeyRole::kCsk, zone::AllUses(zone::KeyRole::kCsk))});
  }

  keys::SigningKey next_ = keys::SigningKey::Generate(13).value();
};

TEST_F(RollingApexTest, BothKeysSignTheKeysAndTheNewOneAllElse) {
  DraftNode apex = PublishedApex(kNow);
  Switch();

  ASSERT_TRUE(Refresh(apex, kNow).has_value());

  for (const auto& rrset : apex.row.rrsets) EXPECT_EQ(rrset.rrsigs.empty(), rrset.type != dns::RrType::kSoa);
  const DraftNode again = PublishedApex(kNow);
  for (const auto& rrset : again.row.rrsets) {
    EXPECT_EQ(rrset.rrsigs.size(), rrset.type == dns::RrType::kDnskey ? 2u : 1u);
    EXPECT_TRUE(Keys().AreSignedBy(rrset.rrsigs, rrset.type).value());
    EXPECT_FALSE(keys::ZoneKeys::Single(key_).AreSignedBy(rrset.rrsigs, rrset.type).value());
  }
}

TEST_F(RollingApexTest, TellsTheParentWhatItShouldPublishSignedByTheKeyThatItKnows) {
  Switch();
  tell_parent_ = true;

  const DraftNode apex = PublishedApex(kNow);

  ASSERT_EQ(apex.row.rrsets.size(), 6u);
  const dns::RrSet& cds = apex.row.rrsets[4];
  EXPECT_EQ(cds.type, dns::RrType::kCds);
  EXPECT_EQ(cds.rdatas, (std::vector{dns::EncodeDs(namespace_.apex, next_.dnskey())}));
  EXPECT_EQ(cds.rrsigs.size(), 2u);
  EXPECT_EQ(apex.row.rrsets[5].type, dns::RrType::kCdnskey);
  EXPECT_EQ(apex.row.rrsets[5].rdatas, (std::vector{next_.dnskey()}));
}

}  // namespace
}  // namespace idzone::signer::pipeline
