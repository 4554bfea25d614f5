// SPDX-License-Identifier: MIT
#include "services/replica/follower_check.h"

#include <gtest/gtest.h>

#include "services/replica/follower_trust.h"
#include "tests/unit/replica/signed_zone.h"

namespace idzone::replica {
namespace {

/// A zone at its second version, seen from a follower that stands at the first one.
struct FollowerCheckTest : testing::TestWithParam<SignedZone::Options> {
  SignedZone zone{GetParam()};
  NodeReader held = zone.Reader();
  zone::ZonePosition own = zone.position();
  KeyMemory memory;
  FedVersion version = zone.Publish({"one", "two", "three"});
  std::vector<zone::NodeChange> changes = zone::DecodeDelta(version.delta, zone.name(), zone.denial()).value();

  Result<ZoneJudge> Judge(const std::vector<Octets>& pins, UnixTime now, VerifyMode mode = VerifyMode::kAll) {
    return CheckApex(zone.fed(), zone.Apex().data->rrsets, version.position.serial, pins, mode, now, memory);
  }
  ZoneJudge ValidJudge() { return Judge({zone.Ds()}, zone.now()).value(); }
  Reason ReasonOf(const Result<void>& result) { return result ? Reason::kInternal : result.error().reason; }
};

TEST_P(FollowerCheckTest, AcceptsTheNextVersion) {
  const auto decoded = CheckChain(zone.fed(), own, version);

  ASSERT_TRUE(decoded) << decoded.error().Detail();
  EXPECT_EQ(*decoded, changes);
  const auto checked = CheckChanges(ValidJudge(), changes, held);
  EXPECT_TRUE(checked) << checked.error().Detail();
  EXPECT_TRUE(CheckNodes(ValidJudge(), zone.Whole()));
  EXPECT_TRUE(CheckSameNegativeTtl(ValidJudge(), held));
}

TEST_P(FollowerCheckTest, RefusesAVersionThatDoesNotFollow) {
  const FedVersion next = zone.Publish({"four"});
  EXPECT_EQ(CheckChain(zone.fed(), own, next).error().reason, Reason::kVersionGap);

  zone::ZonePosition elsewhere = own;
  elsewhere.epoch = 2;
  EXPECT_EQ(CheckChain(zone.fed(), elsewhere, version).error().reason, Reason::kVersionGap);

  elsewhere = own;
  elsewhere.digest[0] = static_cast<char>(elsewhere.digest[0] ^ 1);
  EXPECT_EQ(CheckChain(zone.fed(), elsewhere, version).error().reason, Reason::kDigestMismatch);
}

TEST_P(FollowerCheckTest, RefusesEachOctetThatWasChanged) {
  for (std::size_t at = 0; at < version.delta.size(); at += 13) {
    FedVersion tampered = version;
    tampered.delta[at] = static_cast<char>(tampered.delta[at] ^ 0x40);
    EXPECT_EQ(CheckChain(zone.fed(), own, tampered).error().reason, Reason::kDigestMismatch) << at;
  }
}

TEST_P(FollowerCheckTest, RefusesATypeOutsideTheAllowListBehindRightDigests) {
  // A TLSA RRset becomes an A RRset: type 52 at the front of the RRsets becomes 1.
  const std::size_t at = version.delta.find(Octets("\x01\x00\x34\x00\x00\x01\x2c", 7));
  ASSERT_NE(at, Octets::npos);
  version.delta[at + 2] = 1;
  version.position.digest = zone::VersionDigest(own.digest, version.position.epoch, version.position.serial, version.delta);

  EXPECT_EQ(CheckChain(zone.fed(), own, version).error().reason, Reason::kRecordTypeForbidden);
}

TEST_P(FollowerCheckTest, RefusesForgedData) {
  for (zone::NodeChange& change : changes) {
    if (!change.data || change.data->rrsets.size() != 1) continue;
    change.data->rrsets[0].rdatas[0].back() = static_cast<char>(change.data->rrsets[0].rdatas[0].back() ^ 1);
    EXPECT_EQ(ReasonOf(CheckChanges(ValidJudge(), changes, held)), Reason::kSignatureInvalid);
    return;
  }
  FAIL() << "no device";
}

TEST_P(FollowerCheckTest, RefusesAForgedDenial) {
  for (zone::NodeChange& change : changes) {
    if (!change.denial) continue;
    // To itself, which denies everything else; no node of this zone but a lone apex says that.
    change.denial->next = dns::DenialNextOf(zone.denial(), change.key, zone.name());
    EXPECT_EQ(ReasonOf(CheckChanges(ValidJudge(), changes, held)), Reason::kSignatureInvalid);
    return;
  }
  FAIL() << "no denial";
}

TEST_P(FollowerCheckTest, RefusesTypesThatTheDenialDoesNotList) {
  // Records vanish, the old denial stays: the chain would say what is not so.
  zone::NodeChange& apex =
      *std::find_if(changes.begin(), changes.end(), [&](const auto& change) { return change.data && change.data->owner == zone.name(); });
  apex.denial.reset();
  apex.data->rrsets.erase(apex.data->rrsets.begin());

  EXPECT_EQ(ReasonOf(CheckChanges(ValidJudge(), changes, held)), Reason::kSignatureInvalid);
}

TEST_P(FollowerCheckTest, RefusesAPartOfANodeThatIsNotHeld) {
  zone::NodeChange& added =
      *std::find_if(changes.begin(), changes.end(), [&](const auto& change) { return change.data && change.data->owner != zone.name(); });
  added.denial.reset();

  EXPECT_EQ(ReasonOf(CheckChanges(ValidJudge(), changes, held)), Reason::kVersionGap);
  EXPECT_EQ(ReasonOf(CheckNodes(ValidJudge(), {added})), Reason::kVersionGap);
}

/// An apex whose SOA alone is new, by a signature that is not its own.
zone::NodeChange WithForgedSoa(const zone::NodeChange& apex, const zone::Node& held) {
  zone::NodeChange forged{.key = apex.key, .removed = false, .data = zone::NodeChange::Data{held.owner, held.rrsets}, .denial = {}};
  for (dns::RrSet& rrset : forged.data->rrsets) {
    if (rrset.type == dns::RrType::kSoa) rrset.rdatas[0].back() = static_cast<char>(rrset.rdatas[0].back() ^ 1);
  }
  return forged;
}

TEST_P(FollowerCheckTest, SamplesTheSoaOfAZoneThatIsNotTheFirstOfItsMessage) {
  ZoneJudge judge = Judge({zone.Ds()}, zone.now(), VerifyMode::kSample).value();
  const dns::DenialKey apex_key = zone.KeyOf(zone.name());
  const std::vector<zone::NodeChange> forged = {WithForgedSoa(zone.Apex(), held(apex_key).value().value())};
  constexpr int kTimes = 1000;  // none, or all, of so many: less often than once in 10^27 runs
  const auto refusals = [&] {
    int refused = 0;
    for (int i = 0; i < kTimes; ++i) refused += CheckChanges(judge, forged, held) ? 0 : 1;
    return refused;
  };

  EXPECT_EQ(refusals(), kTimes);
  judge.samples_soa = true;
  const int refused = refusals();
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kTimes);
  judge.mode = VerifyMode::kAll;
  EXPECT_EQ(refusals(), kTimes);
}

TEST_P(FollowerCheckTest, VerifiesAllElseThatIsNewAtAnApexWhenItSamples) {
  ZoneJudge judge = Judge({zone.Ds()}, zone.now(), VerifyMode::kSample).value();
  judge.samples_soa = true;
  const zone::Node before = held(zone.KeyOf(zone.name())).value().value();
  for (const dns::RrSet& touched : before.rrsets) {
    if (touched.type == dns::RrType::kSoa) continue;
    zone::NodeChange forged{
        .key = zone.KeyOf(zone.name()), .removed = false, .data = zone::NodeChange::Data{before.owner, before.rrsets}, .denial = {}};
    for (dns::RrSet& rrset : forged.data->rrsets) {
      if (rrset.type == touched.type) rrset.rrsigs[0].back() = static_cast<char>(rrset.rrsigs[0].back() ^ 1);
    }
    for (int i = 0; i < 50; ++i)
      EXPECT_EQ(ReasonOf(CheckChanges(judge, {forged}, held)), Reason::kSignatureInvalid) << dns::RrTypeName(touched.type);
  }
}

TEST_P(FollowerCheckTest, RefusesTheApexOfAnotherSerialOrKeyOrTime) {
  EXPECT_EQ(CheckApex(zone.fed(), zone.Apex().data->rrsets, 7, {zone.Ds()}, VerifyMode::kAll, zone.now(), memory).error().reason,
            Reason::kVersionGap);
  EXPECT_EQ(Judge({SignedZone(GetParam()).Ds()}, zone.now()).error().reason, Reason::kKeyNotPinned);
  EXPECT_EQ(Judge({}, zone.now()).error().reason, Reason::kKeyNotPinned);
  EXPECT_EQ(Judge({zone.Ds()}, zone.now() + std::chrono::hours(2)).error().reason, Reason::kSignatureInvalid);
  EXPECT_TRUE(Judge({}, zone.now(), VerifyMode::kNone));
}

TEST_P(FollowerCheckTest, RefusesAZoneThatIsFedAsTheOtherKind) {
  FedZone other = zone.fed();
  other.denial = other.denial == dns::DenialKind::kNsec3 ? dns::DenialKind::kNsec : dns::DenialKind::kNsec3;

  // Also by a follower that verifies no signature.
  for (const VerifyMode mode : {VerifyMode::kAll, VerifyMode::kNone})
    EXPECT_EQ(CheckApex(other, zone.Apex().data->rrsets, version.position.serial, {zone.Ds()}, mode, zone.now(), memory).error().reason,
              Reason::kEncodingMalformed);
}

INSTANTIATE_TEST_SUITE_P(EachKindAndAlgorithm, FollowerCheckTest,
                         testing::Values(SignedZone::Options{dns::DenialKind::kNsec3, 13}, SignedZone::Options{dns::DenialKind::kNsec3, 15},
                                         SignedZone::Options{dns::DenialKind::kNsec, 13}, SignedZone::Options{dns::DenialKind::kNsec, 15}));

TEST(FollowerTrustTest, ReadsAnchors) {
  const auto anchors =
      AnchorSet::Parse("; a comment\n_device.acme.example. 3600 IN DS 12345 13 2 " + std::string(32, 'a') + " " + std::string(32, 'B') +
                           "\n\nother.example. DS 1 13 2 " + std::string(64, '0') + " # the other\n",
                       "anchors");

  ASSERT_TRUE(anchors) << anchors.error().Detail();
  ASSERT_EQ(anchors->Pins(dns::Name::Parse("_device.acme.example.").value()).size(), 1u);
  EXPECT_EQ(HexEncode(anchors->Pins(dns::Name::Parse("_device.acme.example.").value())[0]),
            "30390d02" + std::string(32, 'a') + std::string(32, 'b'));
  EXPECT_EQ(anchors->Pins(dns::Name::Parse("other.example.").value()).size(), 1u);
  EXPECT_TRUE(anchors->Pins(dns::Name::Parse("third.example.").value()).empty());
}

TEST(FollowerTrustTest, RefusesAnchorsWithTheLine) {
  for (const std::string& line :
       {std::string("zone. DS 1 13 1 ") + std::string(40, '0'), std::string("zone. DS 1 13 2 0011"), std::string("zone. A 192.0.2.1"),
        std::string("zone. DS 70000 13 2 ") + std::string(64, '0'), std::string("zone. DS 1")}) {
    const auto anchors = AnchorSet::Parse("\n" + line + "\n", "file");
    ASSERT_FALSE(anchors) << line;
    EXPECT_EQ(anchors.error().reason, Reason::kValueMalformed);
    EXPECT_TRUE(anchors.error().subject.starts_with("file:2")) << anchors.error().subject;
  }
}

}  // namespace
}  // namespace idzone::replica
