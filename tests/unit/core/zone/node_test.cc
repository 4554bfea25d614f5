// SPDX-License-Identifier: MIT
#include "services/core/zone/node.h"

#include <gtest/gtest.h>

#include <random>

namespace idzone::zone {
namespace {

using dns::DenialKind;
using dns::Name;
using dns::RrType;

const Name kZone = Name::Parse("_device.acme.example").value();
const Name kOwner = Name::Parse("sensor7._device.acme.example").value();

dns::RrSet ValidTlsa() {
  return {.type = RrType::kTlsa, .ttl = 300, .rdatas = {Octets("\x03\x01\x01", 3) + Octets(32, 'k')}, .rrsigs = {"signature"}};
}

NodeChange ValidChange() {
  return {.key = dns::Nsec3Hash(kOwner),
          .removed = false,
          .data = NodeChange::Data{kOwner, {ValidTlsa()}},
          .denial = Denial{Octets(20, 'n'), "denial"}};
}

TEST(NodeTest, RrSetsRoundTrip) {
  const std::vector<dns::RrSet> rrsets = {{.type = RrType::kNs, .ttl = 60, .rdatas = {"a", "b"}, .rrsigs = {}}, ValidTlsa()};
  EXPECT_EQ(DecodeRrSets(EncodeRrSets(rrsets), kOwner).value(), rrsets);
  EXPECT_TRUE(DecodeRrSets(EncodeRrSets({}), kOwner).value().empty());
}

// The worked example in the header of node.h.
TEST(NodeTest, RrSetsLookAsDocumented) {
  auto tlsa = ValidTlsa();
  tlsa.rrsigs = {"S"};
  EXPECT_EQ(HexEncode(EncodeRrSets({tlsa})),
            "01"
            "0034"
            "0000012c"
            "01"
            "0023"
            "030101" +
                HexEncode(Octets(32, 'k')) +
                "01"
                "0001"
                "53");
}

TEST(NodeTest, EveryTypeOutsideTheAllowListIsRefused) {
  const Octets good = EncodeRrSets({ValidTlsa()});
  int allowed = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    Octets planted = good;
    planted[1] = static_cast<char>(code >> 8);
    planted[2] = static_cast<char>(code);
    const auto decoded = DecodeRrSets(planted, kOwner);
    if (decoded) {
      ++allowed;
    } else {
      EXPECT_EQ(decoded.error().reason, Reason::kRecordTypeForbidden) << code;
    }
  }
  EXPECT_EQ(allowed, 11);
}

TEST(NodeTest, TruncatedOrLongerOctetsAreRefused) {
  const Octets good = EncodeRrSets({ValidTlsa()});
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(DecodeRrSets(good.substr(0, size), kOwner).has_value()) << size;
  EXPECT_FALSE(DecodeRrSets(good + "x", kOwner).has_value());
}

/// The same change in a zone that denies by NSEC.
NodeChange ValidNsecChange() {
  NodeChange change = ValidChange();
  change.key = dns::CanonicalKey(kOwner, kZone);
  change.denial->next = kZone.wire();
  return change;
}

Result<std::vector<NodeChange>> DecodeNsec(const std::vector<NodeChange>& changes) {
  return DecodeDelta(EncodeDelta(changes), kZone, DenialKind::kNsec);
}

TEST(NodeTest, DeltasOfNsecZonesRoundTrip) {
  NodeChange apex{.key = dns::CanonicalKey(kZone, kZone), .removed = false, .data = std::nullopt, .denial = Denial{kOwner.wire(), "d"}};
  NodeChange removed{.key = dns::CanonicalKey(*kZone.Prepend("zz"), kZone), .removed = true, .data = std::nullopt, .denial = std::nullopt};
  const std::vector<NodeChange> changes = {apex, ValidNsecChange(), removed};

  const auto decoded = DecodeNsec(changes);

  ASSERT_TRUE(decoded.has_value()) << decoded.error().Detail();
  EXPECT_EQ(*decoded, changes);
}

TEST(NodeTest, DeltasOfTheOtherKindAreRefused) {
  EXPECT_FALSE(DecodeNsec({ValidChange()}).has_value());
  EXPECT_FALSE(DecodeDelta(EncodeDelta({ValidNsecChange()}), kZone, DenialKind::kNsec3).has_value());
}

TEST(NodeTest, NsecKeysAndNextsMustBeNamesOfTheZone) {
  NodeChange misplaced = ValidNsecChange();
  misplaced.key = dns::CanonicalKey(*kZone.Prepend("sensor8"), kZone);
  EXPECT_FALSE(DecodeNsec({misplaced}).has_value());

  NodeChange beyond = ValidNsecChange();
  beyond.denial->next = Name::Parse("other.example").value().wire();
  EXPECT_FALSE(DecodeNsec({beyond}).has_value());

  NodeChange no_key{.key = "sensor7", .removed = true, .data = std::nullopt, .denial = std::nullopt};
  EXPECT_FALSE(DecodeNsec({no_key}).has_value());

  // "a\000b" has no canonical key; the key that its octets would make is that of b.a.
  NodeChange zero = ValidNsecChange();
  zero.data->owner = *kZone.Prepend(Octets("a\0b", 3));
  zero.key = Octets("\0a\0b\0", 5);
  EXPECT_FALSE(DecodeNsec({zero}).has_value());

  NodeChange empty = ValidNsecChange();
  empty.data->rrsets.clear();
  EXPECT_FALSE(DecodeNsec({empty}).has_value());
}

TEST(NodeTest, DeltasRoundTrip) {
  NodeChange predecessor{.key = Octets(20, '\x7f'), .removed = false, .data = std::nullopt, .denial = Denial{Octets(20, 'm'), "d"}};
  NodeChange removed{.key = Octets(20, '\xff'), .removed = true, .data = std::nullopt, .denial = std::nullopt};
  std::vector<NodeChange> changes = {ValidChange(), predecessor, removed};
  std::sort(changes.begin(), changes.end(), [](const auto& l, const auto& r) { return l.key < r.key; });
  EXPECT_EQ(DecodeDelta(EncodeDelta(changes), kZone, DenialKind::kNsec3).value(), changes);
  EXPECT_TRUE(DecodeDelta("", kZone, DenialKind::kNsec3).value().empty());
}

TEST(NodeTest, DeltasMustBelongToTheZoneAndToTheirKeys) {
  NodeChange elsewhere = ValidChange();
  elsewhere.data->owner = Name::Parse("sensor7._device.other.example").value();
  elsewhere.key = dns::Nsec3Hash(elsewhere.data->owner);
  EXPECT_EQ(DecodeDelta(EncodeDelta({elsewhere}), kZone, DenialKind::kNsec3).error().reason, Reason::kNameOutsideSuffix);

  NodeChange misplaced = ValidChange();
  misplaced.key[0] = static_cast<char>(misplaced.key[0] ^ 1);
  EXPECT_FALSE(DecodeDelta(EncodeDelta({misplaced}), kZone, DenialKind::kNsec3).has_value());

  EXPECT_FALSE(DecodeDelta(EncodeDelta({ValidChange(), ValidChange()}), kZone, DenialKind::kNsec3).has_value());
}

TEST(NodeTest, OwnersHaveOneSpelling) {
  Octets octets = EncodeDelta({ValidChange()});
  const std::size_t owner = octets.find(ValidChange().data->owner.wire());
  ASSERT_NE(owner, Octets::npos);
  octets[owner + 1] = 'S';

  EXPECT_EQ(DecodeDelta(octets, kZone, DenialKind::kNsec3).error().reason, Reason::kEncodingMalformed);
}

TEST(NodeTest, RandomOctetsNeverCrashTheDecoder) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 20'000; ++round) {
    const DenialKind kind = round % 2 == 0 ? DenialKind::kNsec3 : DenialKind::kNsec;
    Octets octets = EncodeDelta({kind == DenialKind::kNsec3 ? ValidChange() : ValidNsecChange()});
    for (int flips = 0; flips < 1 + round % 4; ++flips) octets[random() % octets.size()] = static_cast<char>(random());
    octets.resize(random() % (octets.size() + 1));
    static_cast<void>(DecodeDelta(octets, kZone, kind));
  }
}

}  // namespace
}  // namespace idzone::zone
