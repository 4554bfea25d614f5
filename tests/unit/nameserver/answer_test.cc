// SPDX-License-Identifier: MIT
#include "services/nameserver/answer.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {
namespace {

constexpr auto kTlsa = static_cast<std::uint16_t>(dns::RrType::kTlsa);
constexpr auto kRrsig = static_cast<std::uint16_t>(dns::RrType::kRrsig);
constexpr auto kSoa = static_cast<std::uint16_t>(dns::RrType::kSoa);
constexpr auto kNs = static_cast<std::uint16_t>(dns::RrType::kNs);

class AnswerTest : public ::testing::Test {
 protected:
  AnswerTest() : snapshot_((replica_.Load(7), replica_.writer().environment())) {
    Must(snapshot_.Renew());
    zone_ = *Must(FindServedZone(snapshot_, replica_.apex));
  }

  std::vector<AnswerRecord> Ask(const dns::Name& name, std::uint16_t type, bool internal = false) {
    return Must(FindRecords(snapshot_, zone_, {type, name, internal}));
  }
  dns::Name Nsec3OwnerOf(const dns::Name& name) { return dns::Nsec3Owner(dns::Nsec3Hash(name), replica_.apex); }

  ServedReplica replica_;
  replica::Snapshot snapshot_;
  ServedZone zone_;
};

TEST_F(AnswerTest, ZoneIsFoundByNameByNumberAndFromBelow) {
  EXPECT_EQ(zone_.record.position.serial, 7u);
  EXPECT_EQ(Must(FindServedZone(snapshot_, zone_.record.number))->apex, replica_.apex);
  EXPECT_EQ(Must(FindEnclosingZone(snapshot_, replica_.identity))->apex, replica_.apex);
  EXPECT_FALSE(Must(FindEnclosingZone(snapshot_, MakeName("acme.example."))).has_value());
  EXPECT_FALSE(Must(FindServedZone(snapshot_, zone_.record.number + 1)).has_value());
}

TEST_F(AnswerTest, AnyHasDataButNoSignatures) {
  const auto records = Ask(replica_.identity, kAnyType);

  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].type, kTlsa);
  EXPECT_EQ(records[0].ttl, 60u);
  EXPECT_TRUE(records[0].authoritative);
}

TEST_F(AnswerTest, TypeSelectsAndAbsentTypeIsNothing) {
  EXPECT_EQ(Ask(replica_.apex, kSoa).size(), 1u);
  EXPECT_EQ(Ask(replica_.apex, kTlsa).size(), 0u);
  EXPECT_EQ(Ask(replica_.identity, kNs).size(), 0u);
}

TEST_F(AnswerTest, LettersOfTheQuestionDoNotMatter) {
  EXPECT_EQ(Ask(MakeName("D.E._DEVICE.aCmE.example."), kTlsa).size(), 1u);
}

TEST_F(AnswerTest, AbsentNamesForeignNamesAndWildcardsAreNothing) {
  EXPECT_TRUE(Ask(MakeName("f._device.acme.example."), kAnyType).empty());
  EXPECT_TRUE(Ask(MakeName("*.e._device.acme.example."), kAnyType).empty());
  EXPECT_TRUE(Ask(MakeName("ns1.example.net."), kAnyType).empty());
}

TEST_F(AnswerTest, EmptyNonTerminalIsOneEmptyRecordForAnyOnly) {
  const dns::Name empty = MakeName("e._device.acme.example.");

  const auto records = Ask(empty, kAnyType);

  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].type, kEmptyType);
  EXPECT_TRUE(Ask(empty, kNs).empty());
}

TEST_F(AnswerTest, NameServersOfACutAreNotAuthoritative) {
  EXPECT_FALSE(Ask(replica_.cut, kNs).at(0).authoritative);
  EXPECT_TRUE(Ask(replica_.apex, kNs).at(0).authoritative);
}

TEST_F(AnswerTest, SignaturesComeWhenAskedByType) {
  const auto records = Ask(replica_.identity, kRrsig, true);

  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].rdata, MakeRrsig(dns::RrType::kTlsa));
}

TEST_F(AnswerTest, SignatureThatCoversAnotherTypeDoesNotLeave) {
  auto foreign = MakeRrSet(dns::RrType::kTlsa, 60, Octets("\3\1\1", 3) + Octets(32, 'x'));
  foreign.rrsigs = {MakeRrsig(dns::RrType::kSoa), MakeRrsig(dns::RrType::kTlsa)};
  zone::NodeChange change{dns::Nsec3Hash(replica_.identity), false, zone::NodeChange::Data{replica_.identity, {foreign}}, {}};
  Must(replica_.writer().ApplyVersion(replica_.apex, zone_.record.position, {1, 8, Sha256("8")}, {change}));
  Must(snapshot_.Renew());

  EXPECT_EQ(Ask(replica_.identity, kRrsig, true).size(), 1u);
}

TEST_F(AnswerTest, DenialSignatureIsForPowerDnsOnly) {
  const auto inside = Ask(Nsec3OwnerOf(replica_.identity), kRrsig, true);

  ASSERT_EQ(inside.size(), 1u);
  EXPECT_EQ(inside[0].rdata, MakeRrsig(dns::RrType::kNsec3));
  EXPECT_EQ(inside[0].ttl, 300u);  // min(SOA TTL, MINIMUM)
  EXPECT_TRUE(Ask(Nsec3OwnerOf(replica_.identity), kRrsig, false).empty());
  EXPECT_TRUE(Ask(Nsec3OwnerOf(MakeName("f._device.acme.example.")), kRrsig, true).empty());
}

TEST_F(AnswerTest, DenialOfAnExistingNameIsItsOwnPlace) {
  const auto hash = dns::Nsec3Hash(replica_.identity);

  const auto place = Must(FindDenial(snapshot_, zone_, hash));

  EXPECT_EQ(place->before, hash);
  EXPECT_EQ(place->owner, replica_.identity.wire());
}

TEST_F(AnswerTest, DenialOfAnAbsentNameCoversItAlsoAroundTheEnds) {
  for (const dns::DenialKey& hash : {dns::DenialKey(20, '\0'), dns::DenialKey(20, '\xff'), dns::Nsec3Hash(MakeName("absent."))}) {
    const auto place = Must(FindDenial(snapshot_, zone_, hash));

    const bool wraps = place->after <= place->before;
    EXPECT_TRUE(wraps ? hash > place->before || hash < place->after : hash > place->before && hash < place->after);
  }
}

TEST_F(AnswerTest, HashesAreReadInEitherCase) {
  const auto hash = dns::Nsec3Hash(replica_.identity);
  std::string upper = Base32HexEncode(hash);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });

  EXPECT_EQ(DecodeHash(Base32HexEncode(hash)), hash);
  EXPECT_EQ(DecodeHash(upper), hash);
  EXPECT_EQ(DecodeHash(std::string(31, '0')), std::nullopt);
  EXPECT_EQ(DecodeHash(std::string(31, '0') + "w"), std::nullopt);
}

TEST_F(AnswerTest, ListingHasEverythingThatPowerDnsDoesNotMakeItself) {
  ZoneListing listing(zone_);
  std::multiset<std::pair<std::string, std::uint16_t>> listed;
  while (auto entry = Must(listing.Next(snapshot_)))
    for (const auto& record : entry->records) listed.insert({entry->owner.Format(), record.type});

  std::multiset<std::pair<std::string, std::uint16_t>> expected = {
      {"_device.acme.example.", kNs},       {"_device.acme.example.", kSoa},       {"_device.acme.example.", kRrsig},
      {"_device.acme.example.", kRrsig},    {"_device.acme.example.", kRrsig},     {"e._device.acme.example.", kEmptyType},
      {"d.e._device.acme.example.", kTlsa}, {"d.e._device.acme.example.", kRrsig}, {"cut._device.acme.example.", kNs}};
  for (const dns::Name& name : {replica_.apex, replica_.identity, replica_.cut, MakeName("e._device.acme.example.")})
    expected.insert({Nsec3OwnerOf(name).Format(), kRrsig});
  EXPECT_EQ(listed, expected);
}

}  // namespace
}  // namespace idzone::nameserver
