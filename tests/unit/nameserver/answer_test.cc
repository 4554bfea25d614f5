// SPDX-License-Identifier: MIT
#include "services/nameserver/answer.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/unit/nameserver/answering_test.h"

namespace idzone::nameserver {
namespace {

class AnswerTest : public AnsweringTest {
 protected:
  AnswerTest() : AnsweringTest(dns::DenialKind::kNsec3) {}
};

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
  EXPECT_EQ(RdataOf(records[0]), MakeRrsig(dns::RrType::kTlsa));
}

TEST_F(AnswerTest, TypesForADenialRecordComeOnceAndWithoutContent) {
  const auto tlsa = Ask(replica_.identity, kAnyType, true);
  ASSERT_EQ(tlsa.size(), 1u);
  EXPECT_EQ(tlsa[0].type, kTlsa);
  EXPECT_EQ(tlsa[0].content, nullptr);
  EXPECT_EQ(Ask(replica_.apex, kAnyType, true).size(), 3u) << "NS, SOA, NSEC3PARAM";
  EXPECT_FALSE(Ask(replica_.cut, kAnyType, true).at(0).authoritative);
  EXPECT_EQ(Ask(MakeName("e._device.acme.example."), kAnyType, true).at(0).type, kEmptyType);
  EXPECT_TRUE(Ask(MakeName("f._device.acme.example."), kAnyType, true).empty());
  EXPECT_EQ(made_, 0u);
}

TEST_F(AnswerTest, AnswersAboutOtherNamesGetTheSoaSignaturesOfTheApexAlone) {
  EXPECT_EQ(Ask(replica_.apex, kRrsig, true).size(), 3u) << "nobody said yet what the query is about";
  for (const dns::Name& name : {replica_.identity, MakeName("f._device.acme.example.")}) {
    answerer_.OpenQuery(now_);
    Ask(name, kNs);
    const auto signatures = Ask(replica_.apex, kRrsig, true);
    ASSERT_EQ(signatures.size(), 1u) << name.Format();
    EXPECT_EQ(RdataOf(signatures[0]), MakeRrsig(dns::RrType::kSoa));
  }
}

TEST_F(AnswerTest, AnswersAboutTheApexGetAllItsSignaturesWhateverElseIsAsked) {
  Ask(replica_.apex, kSoa, true);
  Ask(replica_.apex, kAnyType);
  Ask(MakeName("ns1._device.acme.example."), kAnyType);  // as PowerDNS does for addresses of name servers

  EXPECT_EQ(Ask(replica_.apex, kRrsig, true).size(), 3u);
}

TEST_F(AnswerTest, SignatureThatCoversAnotherTypeDoesNotLeave) {
  auto foreign = MakeRrSet(dns::RrType::kTlsa, 60, Octets("\3\1\1", 3) + Octets(32, 'x'));
  foreign.rrsigs = {MakeRrsig(dns::RrType::kSoa), MakeRrsig(dns::RrType::kTlsa)};
  zone::NodeChange change{dns::Nsec3Hash(replica_.identity), false, zone::NodeChange::Data{replica_.identity, {foreign}}, {}};
  Must(replica_.writer().ApplyVersion(replica_.apex, zone_.record.position, {1, 8, Sha256("8")}, {change}));
  Renew();

  EXPECT_EQ(Ask(replica_.identity, kRrsig, true).size(), 1u);
}

TEST_F(AnswerTest, DenialSignatureIsForPowerDnsOnly) {
  const auto inside = Ask(Nsec3OwnerOf(replica_.identity), kRrsig, true);

  ASSERT_EQ(inside.size(), 1u);
  EXPECT_EQ(RdataOf(inside[0]), MakeRrsig(dns::RrType::kNsec3));
  EXPECT_EQ(inside[0].ttl, 300u);  // min(SOA TTL, MINIMUM)
  EXPECT_TRUE(Ask(Nsec3OwnerOf(replica_.identity), kRrsig, false).empty());
  EXPECT_TRUE(Ask(Nsec3OwnerOf(MakeName("f._device.acme.example.")), kRrsig, true).empty());
}

TEST_F(AnswerTest, DenialOfAnExistingNameIsItsOwnPlace) {
  const auto hash = dns::Nsec3Hash(replica_.identity);

  const auto place = Must(answerer_.FindNsec3(snapshot_, zone_, hash));

  EXPECT_EQ(place->key, hash);
  EXPECT_EQ(place->owner, replica_.identity.wire());
}

TEST_F(AnswerTest, DenialOfAnAbsentNameCoversItAlsoAroundTheEnds) {
  for (const dns::DenialKey& hash : {dns::DenialKey(20, '\0'), dns::DenialKey(20, '\xff'), dns::Nsec3Hash(MakeName("absent."))}) {
    const auto place = Must(answerer_.FindNsec3(snapshot_, zone_, hash));

    const bool wraps = place->next <= place->key;
    EXPECT_TRUE(wraps ? hash > place->key || hash < place->next : hash > place->key && hash < place->next);
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

/// Names that equal the NSEC3 label of another one: `identity` is enrolled, and so is the name of its NSEC3 record.
class CollidingNameTest : public AnswerTest {
 protected:
  CollidingNameTest() {
    replica_.Load(8, {Nsec3OwnerOf(replica_.identity)});
    Renew();
    zone_ = *Must(FindServedZone(snapshot_, replica_.apex));
  }
  /// What PowerDNS picks from signatures: those that cover the type.
  std::size_t Covering(const std::vector<AnswerRecord>& signatures, dns::RrType type) {
    return static_cast<std::size_t>(
        std::count_if(signatures.begin(), signatures.end(), [&](const auto& each) { return RdataOf(each) == MakeRrsig(type); }));
  }
};

TEST_F(CollidingNameTest, ItsSignatureIsThereWhenItWasAsked) {
  const dns::Name name = Nsec3OwnerOf(replica_.identity);
  EXPECT_EQ(Ask(name, kAnyType).size(), 1u);

  const auto signatures = Ask(name, kRrsig, true);

  EXPECT_EQ(Covering(signatures, dns::RrType::kTlsa), 1u);
  EXPECT_EQ(Covering(signatures, dns::RrType::kNsec3), 1u);
  EXPECT_EQ(signatures.size(), 2u);
}

TEST_F(CollidingNameTest, ItsOwnDenialIsUnderItsOwnHash) {
  const dns::Name name = Nsec3OwnerOf(replica_.identity);

  const auto place = Must(answerer_.FindNsec3(snapshot_, zone_, dns::Nsec3Hash(name)));

  EXPECT_EQ(place->owner, name.wire());
  EXPECT_EQ(Covering(Ask(Nsec3OwnerOf(name), kRrsig, true), dns::RrType::kNsec3), 1u);
}

TEST_F(CollidingNameTest, DenialByTheOtherNamesRecordHasItsSignature) {
  EXPECT_TRUE(Ask(replica_.identity, kNs).empty());
  Must(answerer_.FindNsec3(snapshot_, zone_, dns::Nsec3Hash(replica_.identity)));

  const auto signatures = Ask(Nsec3OwnerOf(replica_.identity), kRrsig, true);

  EXPECT_EQ(Covering(signatures, dns::RrType::kNsec3), 1u);
}

TEST_F(AnswerTest, ContentIsMadeOnceAQueryAndThatOfTheApexOnceAMoment) {
  for (int query = 0; query < 3; ++query) {
    answerer_.OpenQuery(now_);
    Ask(replica_.apex, kSoa, true);
    for (const std::uint16_t type : {kNs, kAnyType, kAnyType}) Ask(replica_.identity, type);
  }
  EXPECT_EQ(made_, 3u + 3u);

  Renew();
  Ask(replica_.apex, kSoa, true);
  EXPECT_EQ(made_, 3u + 3u + 3u);
}

TEST_F(AnswerTest, WhatIsKeptDoesNotChangeWithAFileThatIsDamagedMeanwhile) {
  const auto ask = [&] {
    answerer_.OpenQuery(now_);
    Ask(replica_.apex, kSoa, true);
    std::vector<Octets> told;
    for (const auto& record : Ask(Nsec3OwnerOf(replica_.apex), kRrsig, true)) told.push_back(RdataOf(record));
    return told;
  };
  const auto before = ask();
  ASSERT_EQ(before.size(), 1u);

  // In place, as bad memory or a stray write would: the map shows it.
  const std::string path = replica_.directory() + "/data.mdb";
  std::ifstream file(path, std::ios::binary);
  std::string octets((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::size_t spoilt = 0;
  for (std::size_t at = octets.find("signature"); at != std::string::npos; at = octets.find("signature", at + 1), ++spoilt)
    octets[at] = 'S';
  ASSERT_GT(spoilt, 4u);
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << octets;

  EXPECT_EQ(ask(), before);
  std::vector<AnswerRecord> records;
  answerer_.OpenQuery(now_);
  const auto unknown = answerer_.FindRecords(snapshot_, zone_, {kTlsa, replica_.identity.wire(), false}, records);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().reason, Reason::kEncodingMalformed);
}

TEST_F(AnswerTest, NothingIsSaidOfANameAfterItsSignaturesExpired) {
  constexpr RrsigTime kExpiration = 0x01010101;  // as MakeRrsig has it
  const auto reason = [&](const dns::Name& name, std::uint16_t type, bool internal = false) {
    std::vector<AnswerRecord> records;
    answerer_.OpenQuery(now_);
    const auto asked = answerer_.FindRecords(snapshot_, zone_, {type, name.wire(), internal}, records);
    return asked ? std::optional<Reason>() : asked.error().reason;
  };
  now_ = kExpiration;
  for (const auto& name : {replica_.apex, replica_.identity}) EXPECT_FALSE(reason(name, kAnyType));

  // Also what was asked for before, and is kept.
  now_ = kExpiration + 1;
  for (const auto& name : {replica_.apex, replica_.identity})
    for (const auto type : {kAnyType, kTlsa, kSoa, kRrsig}) EXPECT_EQ(reason(name, type), Reason::kSignatureInvalid);
  EXPECT_EQ(reason(Nsec3OwnerOf(replica_.identity), kRrsig, true), Reason::kSignatureInvalid);
  // A delegation has no signature of its own, and what is not there has none either.
  EXPECT_FALSE(reason(replica_.cut, kNs));
  EXPECT_FALSE(reason(MakeName("absent._device.acme.example."), kTlsa));
}

TEST_F(AnswerTest, NothingOfAnEarlierMomentIsAnswered) {
  EXPECT_EQ(Ask(replica_.identity, kTlsa).size(), 1u);
  EXPECT_EQ(Ask(MakeName("f._device.acme.example."), kTlsa).size(), 0u);

  replica_.Load(9, {MakeName("f._device.acme.example.")});
  Renew();
  zone_ = *Must(answerer_.FindZone(snapshot_, zone_.record.number));

  EXPECT_EQ(zone_.record.position.serial, 9u);
  EXPECT_EQ(Ask(MakeName("f._device.acme.example."), kTlsa).size(), 1u);
}

}  // namespace
}  // namespace idzone::nameserver
