// SPDX-License-Identifier: MIT
#include "services/core/dns/rrset.h"

#include <gtest/gtest.h>

#include "services/core/dns/name.h"
#include "services/core/dns/presentation.h"

namespace idzone::dns {
namespace {

TEST(RrSetTest, CanonicalFormIsSortedByOctetsWithoutDuplicates) {
  RrSet rrset{.type = RrType::kTlsa, .ttl = 300, .rdatas = {"\xff", "a", "b", "a"}, .rrsigs = {}};
  MakeCanonical(rrset);
  EXPECT_EQ(rrset.rdatas, (std::vector<Octets>{"a", "b", "\xff"}));
}

TEST(RrSetTest, RrsigFieldsRoundTripAndTruncationIsRefused) {
  const RrsigFields fields{.type_covered = RrType::kTlsa,
                           .algorithm = 13,
                           .labels = 3,
                           .original_ttl = 300,
                           .expiration = 2,
                           .inception = 1,
                           .key_tag = 7,
                           .signer = Name::Parse("z.example").value().wire(),
                           .signature = "sig"};
  const Octets rdata = EncodeRrsigPrefix(fields) + fields.signature;
  const auto parsed = ParseRrsig(rdata).value();
  EXPECT_EQ(EncodeRrsigPrefix(parsed) + parsed.signature, rdata);
  for (std::size_t size = 0; size <= rdata.size() - 3; ++size) EXPECT_FALSE(ParseRrsig(rdata.substr(0, size)).has_value()) << size;
}

// RFC 4034 §3.1.8.1: signature = sign(RRSIG_RDATA | RR(1) | RR(2) ...), RR = owner | type | class | TTL | length | RDATA.
TEST(RrSetTest, SignedDataIsThePrefixThenEachRecord) {
  const RrsigFields fields{.type_covered = RrType::kTlsa,
                           .algorithm = 13,
                           .labels = 1,
                           .original_ttl = 300,
                           .expiration = 0,
                           .inception = 0,
                           .key_tag = 0,
                           .signer = Octets(1, '\0'),
                           .signature = {}};
  const Octets owner = Name::Parse("a").value().wire();
  const Octets data = EncodeSignedData(fields, owner, RrType::kTlsa, {"xy"});
  EXPECT_EQ(HexEncode(data.substr(19)),
            "016100"
            "0034"
            "0001"
            "0000012c"
            "0002"
            "7879");
}

TEST(PresentationTest, WritesMasterFileLines) {
  const Name owner = Name::Parse("sensor7._device.acme.example").value();
  EXPECT_EQ(FormatRecord(owner, 300, RrType::kTlsa, Octets("\x03\x01\x01\xab\xcd", 5)),
            "sensor7._device.acme.example.\t300\tIN\tTLSA\t3 1 1 abcd");
  const SoaFields soa{.primary = Name::Parse("ns1.acme.example").value(),
                      .mailbox = owner,
                      .serial = 7,
                      .refresh = 1,
                      .retry = 2,
                      .expire = 3,
                      .minimum = 4};
  EXPECT_EQ(EncodeSoa(ParseSoa(EncodeSoa(soa)).value()), EncodeSoa(soa));
}

}  // namespace
}  // namespace idzone::dns
