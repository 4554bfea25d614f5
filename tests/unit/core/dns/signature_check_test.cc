// SPDX-License-Identifier: MIT
#include "services/core/dns/signature_check.h"

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"
#include "tests/unit/core/dns/rfc6605.h"
#include "tests/unit/core/dns/rfc8080.h"

namespace idzone::dns {
namespace {

constexpr auto kA = static_cast<RrType>(1);

/// The signed record of RFC 6605 §6.1; each test changes one thing.
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
    return CheckSignature(owner, kA, ttl, rdatas, EncodeRrsigPrefix(fields) + fields.signature, zone, dnskeys, now).has_value();
  }
};

TEST(SignatureCheckTest, AcceptsTheExampleOfRfc6605) {
  EXPECT_TRUE(SignedRecord().Holds());
}

TEST(SignatureCheckTest, AcceptsTheExamplesOfRfc8080AndNotTheirNeighbours) {
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
    const std::vector<Octets> dnskeys = {EncodeDnskey(kFlagsCsk, kAlgorithmEd25519, example.public_key)};
    Octets rrsig = EncodeRrsigPrefix(fields) + example.signature;

    const auto checked = CheckSignature(owner, mx, 3600, {rfc8080::MxRdata()}, rrsig, owner, dnskeys, now);
    EXPECT_TRUE(checked.has_value()) << checked.error().Detail();
    rrsig.back() = static_cast<char>(rrsig.back() ^ 1);
    EXPECT_FALSE(CheckSignature(owner, mx, 3600, {rfc8080::MxRdata()}, rrsig, owner, dnskeys, now).has_value());
  }
}

TEST(SignatureCheckTest, RefusesAnotherAlgorithmThanTheKeys) {
  SignedRecord changed;
  changed.fields.algorithm = kAlgorithmEd25519;
  EXPECT_FALSE(changed.Holds());
}

TEST(SignatureCheckTest, RefusesEachChange) {
  SignedRecord changed;
  changed.rdatas[0][3] = 2;
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.fields.signature[10] = static_cast<char>(changed.fields.signature[10] ^ 1);
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.owner = Name::Parse("web.example.net").value();
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.ttl = 60;
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.dnskeys[0][20] = static_cast<char>(changed.dnskeys[0][20] ^ 1);
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.dnskeys.clear();
  EXPECT_FALSE(changed.Holds());

  changed = SignedRecord();
  changed.fields.signer = changed.owner.wire();
  EXPECT_FALSE(changed.Holds());
}

TEST(SignatureCheckTest, RefusesBeforeInceptionAndAfterExpiration) {
  SignedRecord changed;
  changed.now = UnixTime(std::chrono::seconds(rfc6605::kInception - 1));
  EXPECT_FALSE(changed.Holds());

  changed.now = UnixTime(std::chrono::seconds(rfc6605::kExpiration + 1));
  EXPECT_FALSE(changed.Holds());
}

TEST(SignatureCheckTest, AnRrSetWithoutSignatureIsRefused) {
  const SignedRecord record;
  const RrSet unsigned_set{.type = RrType::kTlsa, .ttl = 60, .rdatas = {"abc"}, .rrsigs = {}};
  EXPECT_EQ(CheckRrSet(record.owner, unsigned_set, record.zone, record.dnskeys, record.now).error().reason, Reason::kSignatureInvalid);
}

}  // namespace
}  // namespace idzone::dns
