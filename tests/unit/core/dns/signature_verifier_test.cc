// SPDX-License-Identifier: MIT
#include "services/core/dns/signature_verifier.h"

#include <gtest/gtest.h>

#include <functional>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/signature_check.h"
#include "tests/unit/core/dns/rfc6605.h"
#include "tests/unit/core/dns/rfc8080.h"

namespace idzone::dns {
namespace {

constexpr auto kA = static_cast<RrType>(1);

/// The signed record of RFC 6605 §6.1; each test changes one thing. Every verdict is compared with ldns's.
struct SignedRecord {
  Name owner = Name::Parse("www.example.net").value();
  Name zone = Name::Parse("example.net").value();
  Ttl ttl = 3600;
  std::vector<Octets> rdatas = {Octets("\xc0\x00\x02\x01", 4)};
  std::vector<Octets> dnskeys = {EncodeDnskey(kFlagsCsk, kAlgorithmEcdsaP256Sha256, rfc6605::PublicKey())};
  RrsigFields fields = {.type_covered = kA,
                        .algorithm = 13,
                        .labels = 3,
                        .original_ttl = 3600,
                        .expiration = static_cast<std::uint32_t>(rfc6605::kExpiration),
                        .inception = static_cast<std::uint32_t>(rfc6605::kInception),
                        .key_tag = 55648,
                        .signer = Name::Parse("example.net").value().wire(),
                        .signature = rfc6605::Signature()};
  UnixTime now = UnixTime(std::chrono::seconds(rfc6605::kInception + 1));

  bool Holds() const {
    const Octets rrsig = EncodeRrsigPrefix(fields) + fields.signature;
    const bool holds = SignatureVerifier(zone, dnskeys).Check(owner, kA, ttl, rdatas, rrsig, now).has_value();
    EXPECT_EQ(holds, CheckSignature(owner, kA, ttl, rdatas, rrsig, zone, dnskeys, now).has_value());
    return holds;
  }
};

TEST(SignatureVerifierTest, AcceptsTheExampleOfRfc6605) {
  EXPECT_TRUE(SignedRecord().Holds());
}

TEST(SignatureVerifierTest, AcceptsTheExamplesOfRfc8080AndNotTheirNeighbours) {
  const Name owner = Name::Parse("example.com").value();
  const auto mx = static_cast<RrType>(rfc8080::kTypeMx);
  const UnixTime now(std::chrono::seconds(rfc8080::kInception + 1));
  for (const rfc8080::Example& example : rfc8080::Examples()) {
    const RrsigFields fields{.type_covered = mx,
                             .algorithm = kAlgorithmEd25519,
                             .labels = 2,
                             .original_ttl = 3600,
                             .expiration = rfc8080::kExpiration,
                             .inception = rfc8080::kInception,
                             .key_tag = example.key_tag,
                             .signer = owner.wire(),
                             .signature = {}};
    const SignatureVerifier verifier(owner, {EncodeDnskey(kFlagsCsk, kAlgorithmEd25519, example.public_key)});
    Octets rrsig = EncodeRrsigPrefix(fields) + example.signature;
    EXPECT_TRUE(verifier.Check(owner, mx, 3600, {rfc8080::MxRdata()}, rrsig, now).has_value());
    rrsig.back() = static_cast<char>(rrsig.back() ^ 1);
    EXPECT_FALSE(verifier.Check(owner, mx, 3600, {rfc8080::MxRdata()}, rrsig, now).has_value());
  }
}

TEST(SignatureVerifierTest, RefusesEachChangeAsLdnsDoes) {
  const auto refused = [](const std::function<void(SignedRecord&)>& change) {
    SignedRecord record;
    change(record);
    return !record.Holds();
  };
  EXPECT_TRUE(refused([](auto& record) { record.rdatas[0][3] = 2; }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.signature[10] = static_cast<char>(record.fields.signature[10] ^ 1); }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.signature.pop_back(); }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.signature.assign(64, '\0'); }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.signature.assign(64, '\xff'); }));
  EXPECT_TRUE(refused([](auto& record) { record.owner = Name::Parse("web.example.net").value(); }));
  EXPECT_TRUE(refused([](auto& record) { record.owner = Name::Parse("www.example.org").value(); }));
  EXPECT_TRUE(refused([](auto& record) { record.ttl = 60; }));
  EXPECT_TRUE(refused([](auto& record) { record.dnskeys[0][20] = static_cast<char>(record.dnskeys[0][20] ^ 1); }));
  EXPECT_TRUE(refused([](auto& record) { record.dnskeys.clear(); }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.signer = record.owner.wire(); }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.algorithm = kAlgorithmEd25519; }));
  EXPECT_TRUE(refused([](auto& record) { record.fields.labels = 2; }));
  EXPECT_TRUE(refused([](auto& record) { record.now = UnixTime(std::chrono::seconds(rfc6605::kInception - 1)); }));
  EXPECT_TRUE(refused([](auto& record) { record.now = UnixTime(std::chrono::seconds(rfc6605::kExpiration + 1)); }));
}

TEST(SignatureVerifierTest, TheRightKeyIsFoundAmongOthers) {
  SignedRecord record;
  record.dnskeys.insert(record.dnskeys.begin(), EncodeDnskey(kFlagsCsk, kAlgorithmEd25519, Octets(32, '\1')));
  record.dnskeys.insert(record.dnskeys.begin(), EncodeDnskey(kFlagsCsk, 8, Octets(260, '\1')));
  record.dnskeys.insert(record.dnskeys.begin(), Octets("\1"));
  EXPECT_TRUE(record.Holds());
}

TEST(SignatureVerifierTest, AKeyThatMayNotSignZonesVerifiesNothing) {
  SignedRecord record;
  record.dnskeys = {EncodeDnskey(1, kAlgorithmEcdsaP256Sha256, rfc6605::PublicKey())};
  record.fields.key_tag = KeyTag(record.dnskeys[0]);
  const Octets rrsig = EncodeRrsigPrefix(record.fields) + record.fields.signature;
  EXPECT_FALSE(SignatureVerifier(record.zone, record.dnskeys).Check(record.owner, kA, record.ttl, record.rdatas, rrsig, record.now));
}

TEST(SignatureVerifierTest, RecordsOutOfOrderAndSetsWithoutSignatureAreRefused) {
  const SignedRecord record;
  const SignatureVerifier verifier(record.zone, record.dnskeys);
  const Octets rrsig = EncodeRrsigPrefix(record.fields) + record.fields.signature;
  EXPECT_FALSE(verifier.Check(record.owner, kA, record.ttl, {"b", "a"}, rrsig, record.now));
  EXPECT_FALSE(verifier.Check(record.owner, kA, record.ttl, {record.rdatas[0], record.rdatas[0]}, rrsig, record.now));
  EXPECT_FALSE(verifier.Check(record.owner, kA, record.ttl, {}, rrsig, record.now));
  const RrSet unsigned_set{.type = RrType::kTlsa, .ttl = 60, .rdatas = {"abc"}, .rrsigs = {}};
  EXPECT_EQ(verifier.CheckRrSet(record.owner, unsigned_set, record.now).error().reason, Reason::kSignatureInvalid);
}

}  // namespace
}  // namespace idzone::dns
