// SPDX-License-Identifier: MIT
#include "services/transfer/dns_message.h"

#include <gtest/gtest.h>

namespace idzone::transfer {
namespace {

const dns::Name kZone = dns::Name::Parse("_device.acme.example.").value();

// The messages were made by dnspython 2.3: make_query, make_response with a compressed SOA record, and a NOTIFY.
const std::string kQuestion = "075f6465766963650461636d65076578616d706c650000060001";
const std::string kSoa =
    "c00c000600010000012c0032036e7331076578616d706c65036e6574000a686f73746d6173746572c0140000109200000e100000025800093a800000012c";

Octets FromHex(const std::string& hex) {
  return HexDecode(hex, "message").value();
}

TEST(DnsMessageTest, RequestsAreThoseOfDnspython) {
  EXPECT_EQ(HexEncode(EncodeRequest({0x1234, Opcode::kQuery, kZone})), "123400000001000000000000" + kQuestion);
  EXPECT_EQ(HexEncode(EncodeRequest({0x1234, Opcode::kNotify, kZone})), "123424000001000000000000" + kQuestion);
}

TEST(DnsMessageTest, AnAnswerHasASerial) {
  const auto answer = DecodeAnswer(FromHex("123484000001000100000000" + kQuestion + kSoa)).value();
  EXPECT_EQ(answer.id, 0x1234);
  EXPECT_EQ(answer.opcode, Opcode::kQuery);
  EXPECT_EQ(answer.rcode, 0);
  EXPECT_EQ(answer.zone, kZone);
  EXPECT_EQ(answer.serial, 4242u);
}

TEST(DnsMessageTest, ARefusalHasNone) {
  const auto answer = DecodeAnswer(FromHex("123480050001000000000000" + kQuestion)).value();
  EXPECT_EQ(answer.rcode, 5);
  EXPECT_FALSE(answer.serial);
}

TEST(DnsMessageTest, ARecordOfAnotherNameOrTypeIsPassedOver) {
  const std::string other = "0161000006000100000000000c" + std::string("00000000000100000000000c").substr(0, 24);
  const auto answer = DecodeAnswer(FromHex("123484000001000200000000" + kQuestion + other + kSoa)).value();
  EXPECT_EQ(answer.serial, 4242u);
}

TEST(DnsMessageTest, WhatIsCutOffAnywhereIsRefusedOrHasNoSerial) {
  const Octets whole = FromHex("123484000001000100000000" + kQuestion + kSoa);
  // The numbers behind the serial are not looked at, but the record must be whole.
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(DecodeAnswer(OctetsView(whole).substr(0, size))) << size;
}

TEST(DnsMessageTest, EveryFlippedBitIsReadOrRefused) {
  const Octets whole = FromHex("123484000001000100000000" + kQuestion + kSoa);
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Octets flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    refused += !DecodeAnswer(flipped).has_value();
  }
  EXPECT_GT(refused, 100u);
}

TEST(DnsMessageTest, NamesThatPointInCirclesAreRefused) {
  for (const char* name : {"c00c", "c00d", "c0ff", "ff", "40", "3f"})
    EXPECT_FALSE(DecodeAnswer(FromHex("123484000001000000000000" + std::string(name) + "00060001"))) << name;
}

TEST(DnsMessageTest, QuestionsAndOtherOpcodesAreRefused) {
  EXPECT_FALSE(DecodeAnswer(FromHex("123404000001000000000000" + kQuestion))) << "a question";
  EXPECT_FALSE(DecodeAnswer(FromHex("1234a8000001000000000000" + kQuestion))) << "UPDATE";
  EXPECT_FALSE(DecodeAnswer(FromHex("123484000000000000000000"))) << "no question";
  EXPECT_FALSE(DecodeAnswer("")) << "nothing";
}

}  // namespace
}  // namespace idzone::transfer
