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
  EXPECT_EQ(DenialTypes({}), std::vector<RrType>{});
  EXPECT_EQ(DenialTypes({RrType::kTlsa}), (std::vector<RrType>{RrType::kTlsa, RrType::kRrsig}));
  EXPECT_EQ(DenialTypes({RrType::kNs}), std::vector<RrType>{RrType::kNs});
  EXPECT_EQ(DenialTypes({RrType::kNs, RrType::kDs}), (std::vector<RrType>{RrType::kNs, RrType::kDs, RrType::kRrsig}));
}

}  // namespace
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

}  // namespace idzone::dns
