// SPDX-License-Identifier: MIT
#include "services/core/base/octets.h"

#include <gtest/gtest.h>

namespace idzone {
namespace {

TEST(OctetsTest, HexRoundTripsAndRefusesOtherText) {
  EXPECT_EQ(HexEncode(Octets("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(HexDecode("007FfF", "x").value(), Octets("\x00\x7f\xff", 3));

  EXPECT_EQ(HexDecode("0", "x").error().reason, Reason::kValueMalformed);
  EXPECT_EQ(HexDecode("0g", "field").error().subject, "field");
}

// RFC 4648 §10.
TEST(OctetsTest, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(Base32HexEncode(""), "");
  EXPECT_EQ(Base32HexEncode("f"), "co");
  EXPECT_EQ(Base32HexEncode("fo"), "cpng");
  EXPECT_EQ(Base32HexEncode("foo"), "cpnmu");
  EXPECT_EQ(Base32HexEncode("foob"), "cpnmuog");
  EXPECT_EQ(Base32HexEncode("fooba"), "cpnmuoj1");
  EXPECT_EQ(Base32HexEncode("foobar"), "cpnmuoj1e8");
  EXPECT_EQ(Base64Encode("fooba"), "Zm9vYmE=");
}

TEST(OctetsTest, ReaderGivesBackWhatWriterWrote) {
  Octets octets;
  OctetWriter writer(octets);
  writer.U8(1);
  writer.U16(0x0203);
  writer.U32(0x04050607);
  writer.U64(0x08090a0b0c0d0e0f);
  writer.U16Sized("abc");
  EXPECT_EQ(HexEncode(octets), "0102030405060708090a0b0c0d0e0f0003616263");

  OctetReader reader(octets);
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 0x0203);
  EXPECT_EQ(reader.U32(), 0x04050607u);
  EXPECT_EQ(reader.U64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.U16Sized(), "abc");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(OctetsTest, ReaderStopsForGoodAtTheFirstMissingOctet) {
  const Octets octets(
      "\x00\x05"
      "abc",
      5);
  OctetReader reader(octets);
  EXPECT_EQ(reader.U16Sized(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(OctetsTest, ReadsTheBase64ThatItWrites) {
  for (const std::string& octets : {std::string(), std::string("f"), std::string("fo"), std::string("foo"), std::string("\0\xff\xfe", 3)})
    EXPECT_EQ(Base64Decode(Base64Encode(octets), "key").value(), octets);
}

TEST(OctetsTest, RefusesOtherSpellingsOfBase64) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm-_", "=Zg="})
    EXPECT_EQ(Base64Decode(text, "key").error().reason, Reason::kValueMalformed) << text;
}

// RFC 4648 §10, in lower case and without padding.
TEST(OctetsTest, Base32HexIsReadAsItIsWritten) {
  for (const auto& [octets, text] : std::vector<std::pair<Octets, std::string>>{
           {"", ""}, {"f", "co"}, {"fo", "cpng"}, {"foo", "cpnmu"}, {"foob", "cpnmuog"}, {"fooba", "cpnmuoj1"}, {"foobar", "cpnmuoj1e8"}})
    EXPECT_EQ(Base32HexDecode(text), octets) << text;

  EXPECT_EQ(Base32HexDecode("CPNMUOJ1"), "fooba");
  EXPECT_EQ(Base32HexDecode("cpnmuojw"), std::nullopt);
  EXPECT_EQ(Base32HexDecode("cpnmu0"), std::nullopt) << "a digit that carries no octet";
  EXPECT_EQ(Base32HexDecode("cp"), std::nullopt) << "bits that are left over";
}

}  // namespace
}  // namespace idzone
