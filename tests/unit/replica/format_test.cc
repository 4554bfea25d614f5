// SPDX-License-Identifier: MIT
#include "services/replica/format.h"

#include <gtest/gtest.h>

#include <xxhash.h>

#include "tests/unit/replica/small_zone.h"

namespace idzone::replica {
namespace {

const Octets kHash(20, '\x11');

zone::Node SomeNode() {
  return {.owner = ZoneName().Prepend("d1").value(),
          .rrsets = {{.type = dns::RrType::kSshfp, .ttl = 60, .rdatas = {"one", "two"}, .rrsigs = {"signature"}},
                     {.type = dns::RrType::kTlsa, .ttl = 300, .rdatas = {"three"}, .rrsigs = {"other"}}},
          .denial = {.next = Octets(20, '\x22'), .rrsig = "denial"}};
}

Octets Sealed(OctetsView key, OctetsView body) {
  Octets value;
  OctetWriter writer(value);
  writer.U64(XXH3_64bits_withSeed(body.data(), body.size(), XXH3_64bits(key.data(), key.size())));
  writer.Raw(body);
  return value;
}

TEST(FormatTest, ANodeComesBackAsItWasWritten) {
  const Octets key = EncodeNodeKey(7, kHash);

  const Octets value = EncodeNode(key, SomeNode());
  const auto view = DecodeNode(key, value);

  ASSERT_TRUE(view) << view.error().Detail();
  EXPECT_EQ(view->key, kHash);
  EXPECT_EQ(view->forbidden, 0u);
  const auto node = ToNode(*view);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->owner, SomeNode().owner);
  EXPECT_EQ(node->rrsets, SomeNode().rrsets);
  EXPECT_EQ(node->denial, SomeNode().denial);
}

TEST(FormatTest, AnEmptyNonTerminalIsANodeWithoutRrSets) {
  const Octets key = EncodeNodeKey(7, kHash);
  zone::Node node = SomeNode();
  node.rrsets.clear();

  const Octets value = EncodeNode(key, node);
  const auto view = DecodeNode(key, value);

  ASSERT_TRUE(view);
  EXPECT_TRUE(view->rrsets.empty());
}

TEST(FormatTest, EveryFlippedBitIsNoticed) {
  const Octets key = EncodeNodeKey(7, kHash);
  const Octets value = EncodeNode(key, SomeNode());

  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    Octets flipped = value;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto view = DecodeNode(key, flipped);
    ASSERT_FALSE(view) << "bit " << bit;
    ASSERT_EQ(view.error().reason, Reason::kEncodingMalformed);
  }
}

TEST(FormatTest, EveryTruncationIsNoticed) {
  const Octets key = EncodeNodeKey(7, kHash);
  const Octets value = EncodeNode(key, SomeNode());

  for (std::size_t size = 0; size < value.size(); ++size) ASSERT_FALSE(DecodeNode(key, OctetsView(value).substr(0, size))) << size;
}

TEST(FormatTest, AShortBodyWithARightChecksumIsMalformed) {
  const Octets key = EncodeNodeKey(7, kHash);
  const Octets body = EncodeNode(key, SomeNode()).substr(8);

  for (std::size_t size = 0; size < body.size(); ++size) {
    const Octets value = Sealed(key, OctetsView(body).substr(0, size));
    ASSERT_FALSE(DecodeNode(key, value)) << size;
  }
  const Octets longer = Sealed(key, body + "x");
  EXPECT_FALSE(DecodeNode(key, longer));
}

TEST(FormatTest, AValueUnderAnotherKeyIsNotBelieved) {
  const Octets value = EncodeNode(EncodeNodeKey(7, kHash), SomeNode());

  EXPECT_FALSE(DecodeNode(EncodeNodeKey(8, kHash), value));
  EXPECT_FALSE(DecodeNode(EncodeNodeKey(7, Octets(20, '\x12')), value));
}

TEST(FormatTest, OnlyTypesOfTheAllowListAreRead) {
  const Octets key = EncodeNodeKey(7, kHash);
  const zone::Node node = SomeNode();
  Octets head;
  OctetWriter head_writer(head);
  head_writer.U8Sized(node.owner.wire());
  head_writer.U8Sized(node.denial.next);
  head_writer.U16Sized(node.denial.rrsig);

  for (unsigned code = 0; code <= 0xffff; ++code) {
    Octets body = head;
    OctetWriter writer(body);
    writer.U8(2);
    for (const unsigned type : {code, 52u}) {
      writer.U16(static_cast<std::uint16_t>(type));
      writer.U32(300);
      writer.U8(1);
      writer.U16Sized("planted");
      writer.U8(1);
      writer.U16Sized("signature");
    }
    const Octets value = Sealed(key, body);
    const auto view = DecodeNode(key, value);
    ASSERT_TRUE(view) << code;
    const bool allowed = dns::AllowedRrType(static_cast<std::uint16_t>(code)).has_value();
    ASSERT_EQ(view->forbidden, allowed ? 0u : 1u) << code;
    // The good record beside a planted one is still there.
    ASSERT_EQ(view->rrsets.size(), allowed ? 2u : 1u) << code;
    for (const RrSetView& rrset : view->rrsets) ASSERT_TRUE(dns::AllowedRrType(static_cast<std::uint16_t>(rrset.type)));
  }
}

TEST(FormatTest, NodesOfAnNsecZoneHaveKeysOfAnyLength) {
  zone::Node node = SomeNode();
  node.denial.next = ZoneName().wire();
  for (const dns::DenialKey& denial_key : {dns::DenialKey(1, '\0'), dns::CanonicalKey(node.owner, ZoneName()), Octets(255, 'k')}) {
    const Octets key = EncodeNodeKey(7, denial_key);

    const Octets value = EncodeNode(key, node);
    const auto view = DecodeNode(key, value);

    ASSERT_TRUE(view) << view.error().Detail();
    EXPECT_EQ(view->key, denial_key);
    EXPECT_EQ(view->next, ZoneName().wire());
  }
}

TEST(FormatTest, ANodeWithoutKeyOwnerOrNextIsMalformed) {
  zone::Node node = SomeNode();
  node.denial.next.clear();
  const Octets key = EncodeNodeKey(7, kHash);
  const Octets no_next = EncodeNode(key, node);
  const Octets short_key = EncodeNodeKey(7, {});
  const Octets no_key = EncodeNode(short_key, SomeNode());

  EXPECT_FALSE(DecodeNode(key, no_next));
  EXPECT_FALSE(DecodeNode(short_key, no_key));
}

/// Made by hand from FORMAT.md: what earlier programs wrote, and what this one must go on writing.
TEST(FormatTest, ZoneRecordsOfBothVersionsAreRead) {
  const Octets apex("\1a\0", 3);
  const Octets digest(32, '\x77');
  const Octets version1 = HexDecode(
                              "000000020000000100000001000000"
                              "07"
                              "20",
                              "hex")
                              .value() +
                          digest;
  const ZoneRecord expected{.number = 2, .generation = 1, .position = {1, 7, digest}, .denial = dns::DenialKind::kNsec3};
  ZoneRecord nsec = expected;
  nsec.denial = dns::DenialKind::kNsec;

  EXPECT_EQ(DecodeZoneRecord(apex, Sealed(apex, version1)), expected);
  EXPECT_EQ(EncodeZoneRecord(apex, expected), Sealed(apex, version1 + "\x01"));
  EXPECT_EQ(EncodeZoneRecord(apex, nsec), Sealed(apex, version1 + "\x02"));
  EXPECT_EQ(DecodeZoneRecord(apex, Sealed(apex, version1 + "\x02")), nsec);
  EXPECT_FALSE(DecodeZoneRecord(apex, Sealed(apex, version1 + "\x03")));
  EXPECT_FALSE(DecodeZoneRecord(apex, Sealed(apex, version1 + "\x01\x01")));
}

TEST(FormatTest, ZoneRecordsAndPinsComeBackAndAreSealed) {
  const ZoneRecord record{.number = 3, .generation = 9, .position = At(12), .denial = dns::DenialKind::kNsec};
  Octets value = EncodeZoneRecord(ZoneName().wire(), record);
  EXPECT_EQ(DecodeZoneRecord(ZoneName().wire(), value), record);
  EXPECT_FALSE(DecodeZoneRecord(dns::Name().wire(), value));
  value.back() ^= 1;
  EXPECT_FALSE(DecodeZoneRecord(ZoneName().wire(), value));

  const std::vector<Octets> pins{"first", "second"};
  Octets pinned = EncodePins(ZoneName().wire(), pins);
  EXPECT_EQ(DecodePins(ZoneName().wire(), pinned), pins);
  pinned.back() ^= 1;
  EXPECT_FALSE(DecodePins(ZoneName().wire(), pinned));
}

}  // namespace
}  // namespace idzone::replica
