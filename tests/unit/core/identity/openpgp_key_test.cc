// SPDX-License-Identifier: MIT
#include "services/core/identity/openpgp_key.h"

#include <gtest/gtest.h>

#include "services/core/base/limits.h"
#include "tests/unit/core/golden.h"
#include "tests/unit/core/identity/make_key.h"

namespace idzone::identity {
namespace {

using namespace testing;

const std::string kUserIdPacket = std::string("\xcd\x01", 2) + "a";
const std::string kMarkerPacket = std::string("\xca\x03", 2) + "PGP";
const std::string kTrustPacket = std::string("\xb0\x02\x03\x00", 4);

/// A primary key of version 4 without its numbers, in the new format.
std::string Primary(char algorithm, const std::string& bits = std::string("\x08\x00", 2), char version = 4) {
  const std::string body = std::string(1, version) + std::string(4, '\0') + algorithm + bits;
  return "\xc6" + std::string(1, static_cast<char>(body.size())) + body;
}

std::string Outcome(const std::string& octets) {
  const auto key = OpenPgpKey::Parse(octets);
  if (key) return "accepted";
  EXPECT_EQ(key.error().subject, "openpgp_key");
  return std::string(ReasonName(key.error().reason)) + ": " + key.error().met;
}

bool Starts(const std::string& text, const std::string& start) {
  return text.starts_with(start);
}

TEST(OpenPgpKeyTest, IsWhatGnupgExports) {
  for (const char* name : {"hugh", "rosa", "paul"}) {
    const std::string binary = Golden(std::string("openpgp/") + name + ".pgp");
    EXPECT_EQ(OpenPgpKey::Parse(binary).value().rdata(), binary) << name;
    EXPECT_EQ(OpenPgpKey::Parse(Golden(std::string("openpgp/") + name + ".asc")).value().rdata(), binary) << name;
  }
}

TEST(OpenPgpKeyTest, FingerprintIsSha256OfThePrimaryKeysBody) {
  for (const auto& row : GoldenTable("openpgp/keys.txt")) {
    if (row.at(0) == "weak" || row[0] == "dora") continue;
    const auto key = OpenPgpKey::Parse(Golden("openpgp/" + row[0] + ".pgp"));
    EXPECT_EQ(HexEncode(key.value().fingerprint()), row.at(2)) << row[0];
  }
}

TEST(OpenPgpKeyTest, FramesBothFormatsAndAllTheirLengths) {
  const std::string key = Primary(1);
  const std::string id200(200, 'i');
  const std::string id300(300, 'i');
  const std::string packets[] = {
      "\xcd" + std::string("\xc0\x08", 2) + id200,              // new, two octets: (0xc0-192)*256+8+192
      "\xcd" + std::string("\xff\x00\x00\x01\x2c", 5) + id300,  // new, five octets
      "\xb4" + std::string("\xc8", 1) + id200,                  // old, one octet
      "\xb5" + std::string("\x01\x2c", 2) + id300,              // old, two octets
      "\xb6" + std::string("\x00\x00\x01\x2c", 4) + id300,      // old, four octets
  };
  for (const std::string& packet : packets) EXPECT_EQ(OpenPgpKey::Parse(key + packet).value().rdata(), key + packet);
  EXPECT_EQ(Outcome(key + "\xb7" + id200), "MATERIAL_MALFORMED: a packet of no definite length");
  EXPECT_EQ(Outcome(key + "\xcd\xe1" + id200), "MATERIAL_MALFORMED: a packet of no definite length");
}

TEST(OpenPgpKeyTest, LeavesOutTrustAndMarkerPackets) {
  const auto key = OpenPgpKey::Parse(Primary(22) + kMarkerPacket + kUserIdPacket + kTrustPacket).value();
  EXPECT_EQ(key.rdata(), Primary(22) + kUserIdPacket);
}

TEST(OpenPgpKeyTest, RefusesSecretKeysWhereverTheyAre) {
  std::string secret = Golden("openpgp/rosa.pgp");
  secret[0] = static_cast<char>(0x80 | 5 << 2 | (secret[0] & 3));
  EXPECT_TRUE(Starts(Outcome(secret), "MATERIAL_WRONG_KIND: a secret key"));
  EXPECT_TRUE(Starts(Outcome(Primary(1) + kUserIdPacket + std::string("\xc7\x01x", 3)), "MATERIAL_WRONG_KIND: a secret key"));
  EXPECT_TRUE(Starts(Outcome("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n"), "MATERIAL_WRONG_KIND: a secret key"));
}

TEST(OpenPgpKeyTest, RefusesSeveralKeys) {
  const std::string hugh = Golden("openpgp/hugh.pgp");
  EXPECT_TRUE(Starts(Outcome(hugh + Golden("openpgp/rosa.pgp")), "MATERIAL_TRAILING_BYTES: another key"));
  EXPECT_EQ(Outcome(Golden("openpgp/hugh.asc") + Golden("openpgp/rosa.asc")), "MATERIAL_TRAILING_BYTES: another block after it");
  EXPECT_TRUE(Starts(Outcome(Golden("openpgp/hugh.asc") + "more"), "MATERIAL_TRAILING_BYTES"));
}

TEST(OpenPgpKeyTest, RefusesWeakAndUnknownPrimaryKeys) {
  EXPECT_EQ(Outcome(Golden("openpgp/weak.pgp")), "KEY_TOO_WEAK: 1024 bits");
  EXPECT_EQ(Outcome(Golden("openpgp/dora.asc")), "KEY_TOO_WEAK: a DSA key");
  EXPECT_EQ(Outcome(Primary(1, std::string("\x20\x01", 2)) + kUserIdPacket), "KEY_UNSUPPORTED: 8193 bits");
  EXPECT_EQ(Outcome(Primary(1, std::string("\x08\x00", 2), 3) + kUserIdPacket), "KEY_TOO_WEAK: version 3");
  EXPECT_EQ(Outcome(Primary(1, std::string("\x08\x00", 2), 7) + kUserIdPacket), "KEY_UNSUPPORTED: version 7");
  EXPECT_EQ(Outcome(Primary(16) + kUserIdPacket), "KEY_UNSUPPORTED: algorithm 16");
  EXPECT_EQ(Outcome(Primary(1, std::string("\0\0\1\7\x08\x00", 6), 6) + kUserIdPacket), "accepted");
}

TEST(OpenPgpKeyTest, RefusesWhatIsNoTransferablePublicKey) {
  EXPECT_EQ(Outcome(""), "MATERIAL_MISSING: nothing");
  EXPECT_EQ(Outcome("hello"), "MATERIAL_MALFORMED: an octet that begins no packet");
  EXPECT_EQ(Outcome(Primary(1)), "MATERIAL_MALFORMED: none");
  EXPECT_EQ(Outcome(kUserIdPacket + Primary(1)), "MATERIAL_WRONG_KIND: packet 1 of tag 13");
  EXPECT_EQ(Outcome(Primary(1) + kUserIdPacket + std::string("\xcb\x01x", 3)), "MATERIAL_MALFORMED: packet 3 of tag 11");
  EXPECT_EQ(Outcome(std::string(16 * 1024 + 1, '\xc6')), "LIMIT_EXCEEDED: 16385");
  EXPECT_EQ(Outcome("\xc6\x02\x04x"), "MATERIAL_MALFORMED: 2 octets");
  const std::string id(4096, 'i');
  EXPECT_TRUE(Starts(Outcome(Primary(1) + "\xb5" + std::string("\x10\x00", 2) + id), "LIMIT_EXCEEDED: 4"));
}

TEST(OpenPgpKeyTest, RefusesEveryKeyThatIsCutInsideAPacket) {
  const std::string binary = Golden("openpgp/paul.pgp");
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < binary.size(); ++size) accepted += OpenPgpKey::Parse(binary.substr(0, size)).has_value() ? 1 : 0;
  EXPECT_EQ(accepted, 1U) << "after the user id, and nowhere else, a shorter key ends";
}

TEST(OpenPgpKeyTest, NamesKeysOfOtherWorlds) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(Outcome(CertificatePem(key)), "MATERIAL_WRONG_KIND: a block CERTIFICATE");
  EXPECT_EQ(Outcome(CertificateDer(key)), "MATERIAL_WRONG_KIND: an X.509 certificate");
  EXPECT_EQ(Outcome(SpkiDer(key)), "MATERIAL_WRONG_KIND: a SubjectPublicKeyInfo");
  EXPECT_EQ(Outcome(Golden("ssh/ed25519.pub")), "MATERIAL_WRONG_KIND: one OpenSSH public key line");
}

TEST(OpenPgpKeyTest, ChecksTheArmor) {
  const std::string armored = Golden("openpgp/paul.asc");
  const std::size_t sum = armored.find("\n=");
  const std::string end = armored.substr(armored.find("-----END"));
  const std::string head = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";

  EXPECT_EQ(Outcome(armored.substr(0, sum + 1) + end), "accepted") << "RFC 9580 wants no checksum";
  EXPECT_EQ(Outcome(head + "Comment: mine\nVersion: 1\n" + armored.substr(head.size())), "accepted");
  EXPECT_EQ(Outcome("\n  " + armored + "\r\n"), "accepted");
  std::string crlf;
  for (const char c : armored) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(Outcome(crlf), "accepted");
  EXPECT_EQ(Outcome(armored.substr(0, sum) + "\n=AAAA\n" + end), "MATERIAL_MALFORMED: another one");
  EXPECT_EQ(Outcome(armored.substr(0, sum)), "MATERIAL_MALFORMED: the end of the text");
  EXPECT_EQ(Outcome(head + armored.substr(head.size() + 1)), "MATERIAL_MALFORMED: another line");
  EXPECT_TRUE(Starts(Outcome(head + "\n" + "!!!!\n" + end), "MATERIAL_MALFORMED"));
  EXPECT_EQ(Outcome(head + "\n" + end), "MATERIAL_MISSING: no packets");
  EXPECT_EQ(Outcome("-----BEGIN PGP MESSAGE-----\n\nAAAA\n"), "MATERIAL_WRONG_KIND: a block PGP MESSAGE");
  EXPECT_EQ(Outcome("text\n" + armored), "MATERIAL_MALFORMED: text");
}

}  // namespace
}  // namespace idzone::identity
