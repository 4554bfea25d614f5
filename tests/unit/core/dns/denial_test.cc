// SPDX-License-Identifier: MIT
#include "services/core/dns/denial.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

namespace idzone::dns {
namespace {

Name N(std::string_view text) {
  return Name::Parse(text).value();
}

/// What ldns says the NSEC3 owner of a name is, without the zone.
std::string LdnsHash(const std::string& text) {
  ldns_rdf* name = ldns_dname_new_frm_str(text.c_str());
  ldns_rdf* hash = ldns_nsec3_hash_name(name, 1, 0, 0, nullptr);
  char* shown = ldns_rdf2str(hash);
  std::string label(shown);
  free(shown);
  ldns_rdf_deep_free(hash);
  ldns_rdf_deep_free(name);
  return label.substr(0, label.find('.'));
}

TEST(DenialTest, HashesAsLdnsDoes) {
  for (const char* text : {"_device.acme.example.", "sensor7.a1._device.acme.example.", "*._device.acme.example.", "."})
    EXPECT_EQ(Base32HexEncode(Nsec3Hash(N(text))), LdnsHash(text)) << text;
}

TEST(DenialTest, HashIgnoresCase) {
  EXPECT_EQ(Nsec3Hash(N("A.Example")), Nsec3Hash(N("a.example")));
}

TEST(DenialTest, OwnerIsTheHashAboveTheZone) {
  const Name zone = N("example");
  EXPECT_EQ(Nsec3Owner(Octets(20, '\0'), zone), N("00000000000000000000000000000000.example"));
}

TEST(DenialTest, RecordHasNoIterationsNoSaltNoOptOut) {
  const Octets rdata = EncodeNsec3(Octets(20, '\x11'), {RrType::kRrsig, RrType::kTlsa});
  EXPECT_EQ(HexEncode(rdata.substr(0, 6)), "010000000014");
  // Window 0, 7 octets: RRSIG is bit 46, TLSA bit 52.
  EXPECT_EQ(HexEncode(rdata.substr(26)), "000700000000000208");
}

// RFC 4034 §4.3: "alfa.example.com. 86400 IN NSEC host.example.com. ( A MX RRSIG NSEC TYPE1234 )"; ours has window 0 only.
TEST(DenialTest, BitmapOfRfc4034WindowZero) {
  EXPECT_EQ(HexEncode(EncodeTypeBitmap({static_cast<RrType>(1), static_cast<RrType>(15), RrType::kRrsig, RrType::kNsec})),
            "0006400100000003");
  EXPECT_EQ(EncodeTypeBitmap({}), "");
}

TEST(DenialTest, SignedNamesListRrsigAndEmptyNonTerminalsNothing) {
  const auto types = [](std::vector<RrType> present) { return DenialTypes(DenialKind::kNsec3, std::move(present)); };
  EXPECT_EQ(types({}), std::vector<RrType>{});
  EXPECT_EQ(types({RrType::kTlsa}), (std::vector<RrType>{RrType::kTlsa, RrType::kRrsig}));
  EXPECT_EQ(types({RrType::kNs}), std::vector<RrType>{RrType::kNs});
  EXPECT_EQ(types({RrType::kNs, RrType::kDs}), (std::vector<RrType>{RrType::kNs, RrType::kDs, RrType::kRrsig}));
}

// RFC 4035 §2.3: "The type bitmap of every NSEC resource record in a signed zone MUST indicate the presence of both the
// NSEC record itself and its corresponding RRSIG record."
TEST(DenialTest, NsecRecordsListThemselvesAndTheirSignature) {
  for (const std::vector<RrType>& present : {std::vector<RrType>{RrType::kTlsa}, {RrType::kNs}, {RrType::kNs, RrType::kDs}}) {
    std::vector<RrType> expected = present;
    expected.insert(expected.end(), {RrType::kRrsig, RrType::kNsec});
    EXPECT_EQ(DenialTypes(DenialKind::kNsec, present), expected);
  }
}

// RFC 4034 §6.1's example of the canonical order, without the two names whose labels hold other octets than ours can.
TEST(DenialTest, CanonicalKeysAreInCanonicalOrder) {
  const Name apex = *Name::Parse("example.");
  const std::vector<std::string> ordered = {"example.",        "a.example.", "yljkjljk.a.example.", "z.a.example.",
                                            "zabc.a.example.", "z.example.", "*.z.example."};

  for (std::size_t i = 0; i + 1 < ordered.size(); ++i)
    EXPECT_LT(CanonicalKey(*Name::Parse(ordered[i]), apex), CanonicalKey(*Name::Parse(ordered[i + 1]), apex)) << ordered[i];
}

TEST(DenialTest, CanonicalKeyOfANameBeginsWithThatOfItsParent) {
  const Name apex = *Name::Parse("z.");

  EXPECT_EQ(HexEncode(CanonicalKey(apex, apex)), "00");
  EXPECT_EQ(HexEncode(CanonicalKey(*Name::Parse("a.z."), apex)), "006100");
  EXPECT_EQ(HexEncode(CanonicalKey(*Name::Parse("b.a.z."), apex)), "0061006200");
}

TEST(DenialTest, CanonicalNameIsTheReverse) {
  const Name apex = N("_device.acme.example.");
  for (const char* text : {"_device.acme.example.", "a._device.acme.example.", "b.a._device.acme.example.", "*._device.acme.example."})
    EXPECT_EQ(CanonicalName(CanonicalKey(N(text), apex), apex).value(), N(text));
}

TEST(DenialTest, OctetsThatAreNoCanonicalKeyAreRefused) {
  const Name apex = N("z.");
  const std::vector<Octets> refused = {Octets(),
                                       Octets("\x01", 1),
                                       Octets("a", 1),
                                       Octets("\x00"
                                              "a",
                                              2),
                                       Octets("\x00\x00", 2),
                                       Octets("\x00"
                                              "A\x00",
                                              3),
                                       Octets(1, '\0') + Octets(64, 'a') + Octets(1, '\0'),
                                       Octets(300, '\0')};
  for (const Octets& key : refused) EXPECT_FALSE(CanonicalName(key, apex).has_value()) << HexEncode(key);
}

TEST(DenialTest, NextIsAHashOrANameOfTheZone) {
  const Name apex = N("z.");
  const DenialKey hash = Nsec3Hash(apex);
  const DenialKey key = CanonicalKey(N("b.a.z."), apex);

  EXPECT_EQ(DenialNextOf(DenialKind::kNsec3, hash, apex), hash);
  EXPECT_EQ(KeyOfDenialNext(DenialKind::kNsec3, hash, apex).value(), hash);
  EXPECT_EQ(HexEncode(DenialNextOf(DenialKind::kNsec, key, apex)), "01620161017a00");
  EXPECT_EQ(KeyOfDenialNext(DenialKind::kNsec, N("b.a.z.").wire(), apex).value(), key);
  EXPECT_EQ(KeyOfDenialNext(DenialKind::kNsec, apex.wire(), apex).value(), Octets(1, '\0'));

  EXPECT_FALSE(KeyOfDenialNext(DenialKind::kNsec3, N("a.z.").wire(), apex).has_value());
  for (const Octets& next : {N("a.y.").wire(), N(".").wire(),
                             Octets("\x01"
                                    "A\x01z\x00",
                                    5),
                             Octets("\x01\x00\x01z\x00", 5),
                             Octets("\x01"
                                    "a",
                                    2),
                             Octets()})
    EXPECT_FALSE(KeyOfDenialNext(DenialKind::kNsec, next, apex).has_value()) << HexEncode(next);
}

TEST(DenialTest, RecordsStandAtTheHashOrAtTheNameItself) {
  const Name apex = N("z.");
  const Name owner = N("a.z.");

  const DenialRecord hashed = MakeDenialRecord(DenialKind::kNsec3, apex, Nsec3Hash(owner), Nsec3Hash(apex), {RrType::kTlsa}).value();
  EXPECT_EQ(hashed.owner, Nsec3Owner(Nsec3Hash(owner), apex));
  EXPECT_EQ(hashed.type, RrType::kNsec3);
  EXPECT_EQ(hashed.rdata, EncodeNsec3(Nsec3Hash(apex), {RrType::kTlsa, RrType::kRrsig}));

  const DenialRecord named = MakeDenialRecord(DenialKind::kNsec, apex, CanonicalKey(owner, apex), apex.wire(), {RrType::kTlsa}).value();
  EXPECT_EQ(named.owner, owner);
  EXPECT_EQ(named.type, RrType::kNsec);
  // RFC 4034 §4.1: the next name, then window 0 with 7 octets: RRSIG and NSEC are bits 46 and 47, TLSA is bit 52.
  EXPECT_EQ(HexEncode(named.rdata),
            "017a00"
            "000700000000000308");

  EXPECT_FALSE(MakeDenialRecord(DenialKind::kNsec, apex, Nsec3Hash(owner), apex.wire(), {}).has_value());
  EXPECT_FALSE(MakeDenialRecord(DenialKind::kNsec, apex, CanonicalKey(owner, apex), Nsec3Hash(apex), {}).has_value());
  EXPECT_FALSE(MakeDenialRecord(DenialKind::kNsec3, apex, CanonicalKey(owner, apex), Nsec3Hash(apex), {}).has_value());
}

}  // namespace
}  // namespace idzone::dns
