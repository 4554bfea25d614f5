// SPDX-License-Identifier: MIT
// What is different in NSEC zones: no node at empty non-terminals, places by name, the RRSIG of the NSEC record at its owner.
#include <gtest/gtest.h>

#include "tests/unit/nameserver/answering_test.h"

namespace idzone::nameserver {
namespace {

class NsecAnswerTest : public AnsweringTest {
 protected:
  NsecAnswerTest() : AnsweringTest(dns::DenialKind::kNsec) {}

  DenialPlace Place(const dns::Name& name) { return Must(answerer_.FindNsec(snapshot_, zone_, name.wire())).value(); }
  /// The canonical order of the zone: apex, cut, d.e.
  void ExpectPlace(const dns::Name& name, const dns::Name& owner, const dns::Name& next) {
    EXPECT_EQ(Place(name).owner, owner.wire()) << name.Format();
    EXPECT_EQ(Place(name).next, next.wire()) << name.Format();
  }
};

TEST_F(NsecAnswerTest, RecordsAreThoseOfTheName) {
  EXPECT_EQ(Ask(replica_.identity, kTlsa).size(), 1u);
  EXPECT_EQ(Ask(replica_.apex, kSoa).size(), 1u);
  EXPECT_EQ(Ask(replica_.apex, kAnyType).size(), 2u) << "NS and SOA, no NSEC3PARAM";
  EXPECT_TRUE(Ask(MakeName("d._device.acme.example."), kAnyType).empty());
  EXPECT_TRUE(Ask(MakeName("x.d.e._device.acme.example."), kAnyType).empty());
}

TEST_F(NsecAnswerTest, EmptyNonTerminalIsOneEmptyRecordThoughItIsNoNode) {
  const auto records = Ask(MakeName("e._device.acme.example."), kAnyType);

  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].type, kEmptyType);
  EXPECT_TRUE(Ask(MakeName("e._device.acme.example."), kNs).empty());
  EXPECT_TRUE(Ask(MakeName("ee._device.acme.example."), kAnyType).empty());
}

TEST_F(NsecAnswerTest, DenialSignatureIsAtTheOwner) {
  const auto signatures = Ask(replica_.identity, kRrsig, true);

  ASSERT_EQ(signatures.size(), 2u);
  EXPECT_EQ(RdataOf(signatures[0]), MakeRrsig(dns::RrType::kTlsa));
  EXPECT_EQ(RdataOf(signatures[1]), MakeRrsig(dns::RrType::kNsec));
  EXPECT_EQ(signatures[1].ttl, 300u) << "min(SOA TTL, MINIMUM)";
}

TEST_F(NsecAnswerTest, TheApexHasAllItsSignaturesInAnswersAboutOtherNamesToo) {
  Ask(MakeName("a._device.acme.example."), kNs);

  EXPECT_EQ(Ask(replica_.apex, kRrsig, true).size(), 3u) << "NS, SOA and NSEC";
}

TEST_F(NsecAnswerTest, PlacesFollowTheCanonicalOrder) {
  ExpectPlace(replica_.apex, replica_.apex, replica_.cut);
  ExpectPlace(MakeName("a._device.acme.example."), replica_.apex, replica_.cut);
  ExpectPlace(MakeName("cut._device.acme.example."), replica_.cut, replica_.identity);
  ExpectPlace(MakeName("zzz.cut._device.acme.example."), replica_.cut, replica_.identity);
  ExpectPlace(MakeName("e._device.acme.example."), replica_.cut, replica_.identity);
  ExpectPlace(MakeName("*.e._device.acme.example."), replica_.cut, replica_.identity);
  ExpectPlace(MakeName("zzz._device.acme.example."), replica_.identity, replica_.apex);
}

TEST_F(NsecAnswerTest, NamesOutsideHaveNoPlace) {
  EXPECT_FALSE(Must(answerer_.FindNsec(snapshot_, zone_, MakeName("acme.example.").wire())).has_value());
}

TEST_F(NsecAnswerTest, LabelsWithZeroOctetsFallWhereTheCanonicalOrderHasThem) {
  // `cut\000x` would have the key of x.cut, and `e\000d` that of the identity.
  const dns::Name behind_cut = *replica_.apex.Prepend(Octets("cut\0x", 5));
  const dns::Name behind_e = *replica_.apex.Prepend(Octets("e\0d", 3));
  const dns::Name first = *replica_.apex.Prepend(Octets(1, '\0'));

  EXPECT_TRUE(Ask(behind_e, kAnyType).empty());
  ExpectPlace(behind_cut, replica_.cut, replica_.identity);
  ExpectPlace(behind_e, replica_.identity, replica_.apex);
  ExpectPlace(first, replica_.apex, replica_.cut);
  ExpectPlace(*behind_e.Prepend("a"), replica_.identity, replica_.apex);
}

TEST_F(NsecAnswerTest, LongestNamesWithZeroOctetsCanBeLookedFor) {
  dns::Name name = replica_.apex;
  while (auto longer = name.Prepend(Octets(63, '\xff'))) name = *longer;
  const std::size_t left = 255 - name.wire().size();
  if (left > 2) name = *name.Prepend(Octets(left - 2, 'a') + Octets(1, '\0'));

  ExpectPlace(name, replica_.identity, replica_.apex);
}

TEST_F(NsecAnswerTest, HashLikeNamesAreNamesLikeAnyOther) {
  const dns::Name hash_like = Nsec3OwnerOf(replica_.identity);
  replica_.Load(8, {hash_like});
  Renew();
  zone_ = *Must(FindServedZone(snapshot_, replica_.apex));

  EXPECT_EQ(Ask(hash_like, kRrsig, true).size(), 2u);
  EXPECT_TRUE(Ask(Nsec3OwnerOf(replica_.apex), kRrsig, true).empty());
}

}  // namespace
}  // namespace idzone::nameserver
