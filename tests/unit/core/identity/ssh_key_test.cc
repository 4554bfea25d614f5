// SPDX-License-Identifier: MIT
#include "services/core/identity/ssh_key.h"

#include <gtest/gtest.h>

#include "services/core/identity/key_material.h"
#include "tests/unit/core/golden.h"
#include "tests/unit/core/identity/make_key.h"

namespace idzone::identity {
namespace {

using namespace testing;
using enum MaterialKind;

std::string String(const std::string& octets) {
  std::string out;
  OctetWriter(out).U32Sized(octets);
  return out;
}

std::string Line(const std::string& type, const std::string& fields) {
  return type + " " + Base64Encode(String(type) + fields) + " comment";
}

std::string RawKey(const Key& key) {
  std::size_t size = 0;
  EVP_PKEY_get_raw_public_key(key.get(), nullptr, &size);
  std::string raw(size, '\0');
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  return raw;
}

std::string Point(const Key& key, const char* format) {
  EVP_PKEY_set_utf8_string_param(key.get(), "point-format", format);
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(key.get(), "pub", nullptr, 0, &size);
  std::string point(size, '\0');
  EVP_PKEY_get_octet_string_param(key.get(), "pub", reinterpret_cast<unsigned char*>(point.data()), size, &size);
  return point;
}

std::string EdLine() {
  static const Key key = NamedKey("ED25519");
  return Line("ssh-ed25519", String(RawKey(key)));
}

/// An RSA line of numbers that are not a key but have its size.
std::string RsaLine(const std::string& exponent, std::size_t octets) {
  return Line("ssh-rsa", String(exponent) + String(std::string(1, '\0') + std::string(octets, '\xc1')));
}
const std::string kExponent("\x01\x00\x01", 3);

Reason ReasonOf(const std::string& line, MaterialKind kind = kSshPublicKey) {
  const auto parsed = KeyMaterial::Parse(kind, line);
  if (parsed) return static_cast<Reason>(0);
  EXPECT_EQ(parsed.error().subject == "ssh_public_key", kind == kSshPublicKey);
  return parsed.error().reason;
}

std::string MetBy(const std::string& line) {
  const auto parsed = ParseSshKey(line);
  return parsed ? "accepted" : parsed.error().met;
}

TEST(SshKeyTest, SpkiIsThatOfAnotherImplementation) {
  for (const auto& row : GoldenTable("ssh/spki.txt")) {
    const auto key = KeyMaterial::Parse(kSshPublicKey, Golden("ssh/" + row.at(0) + ".pub"));
    ASSERT_TRUE(key.has_value()) << row[0] << key.error().Detail();
    EXPECT_EQ(HexEncode(key->spki()), row.at(1)) << row[0];
    EXPECT_EQ(key->fingerprint(), Sha256(key->spki()));
    EXPECT_TRUE(key->certificate().empty());
  }
}

TEST(SshKeyTest, BlobAndAlgorithmAreThoseOfSshKeygen) {
  for (const auto& row : GoldenTable("ssh/sshfp.txt")) {
    const auto key = KeyMaterial::Parse(kSshPublicKey, Golden("ssh/" + row.at(0) + ".pub")).value();
    EXPECT_EQ(std::to_string(key.sshfp_algorithm()), row.at(1)) << row[0];
    EXPECT_EQ(HexEncode(Sha256(key.ssh_blob())), row.at(3)) << row[0];
  }
}

TEST(SshKeyTest, ReadsEd448) {
  const Key key = NamedKey("ED448");
  const auto material = KeyMaterial::Parse(kSshPublicKey, Line("ssh-ed448", String(RawKey(key)))).value();
  EXPECT_EQ(material.sshfp_algorithm(), 6);
  EXPECT_EQ(material.spki(), SpkiDer(key));
}

TEST(SshKeyTest, OneKeyIsOneKeyInWhateverClothes) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const Key key = EcKey(curve);
    const std::string name = "nistp" + std::string(curve).substr(2);
    const auto ssh = KeyMaterial::Parse(kSshPublicKey, Line("ecdsa-sha2-" + name, String(name) + String(Point(key, "uncompressed"))));
    EXPECT_EQ(ssh.value().fingerprint(), KeyMaterial::Parse(kCertificate, CertificateDer(key)).value().fingerprint());
  }
}

TEST(SshKeyTest, ReadsOneLineWithOrWithoutItsEndAndComment) {
  const std::string line = EdLine();
  for (const std::string& text : {line, line + "\n", line + "\r\n", line + " more words\n\n", line.substr(0, line.rfind(' '))})
    EXPECT_EQ(MetBy(text), "accepted") << text;
  EXPECT_TRUE(KeyMaterial::Parse(kPublicKey, SpkiDer(EcKey("P-256"))).value().ssh_blob().empty());
}

TEST(SshKeyTest, RefusesWhatIsNoLine) {
  EXPECT_EQ(ReasonOf(""), Reason::kMaterialMissing);
  EXPECT_EQ(ReasonOf(" \n"), Reason::kMaterialMissing);
  EXPECT_EQ(ReasonOf("hello"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf("ssh-ed25519"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf(std::string("ssh-ed25519\0", 12)), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf("ssh-ed25519 AAAA!"), Reason::kMaterialMalformed);
  EXPECT_EQ(ReasonOf(std::string(16 * 1024 + 1, 'x')), Reason::kLimitExceeded);
  const std::string line = EdLine();
  for (std::size_t size = 1; size < line.rfind(' '); ++size) EXPECT_EQ(ReasonOf(line.substr(0, size)), Reason::kMaterialMalformed) << size;
}

TEST(SshKeyTest, RefusesOptionsAndHostNamesInFront) {
  EXPECT_EQ(ReasonOf("no-pty,command=\"ls\" " + EdLine()), Reason::kMaterialMalformed);
  EXPECT_EQ(MetBy("host.example " + EdLine()), "options or a host name in front of it");
}

TEST(SshKeyTest, RefusesSeveralKeys) {
  EXPECT_EQ(ReasonOf(EdLine() + "\n" + EdLine()), Reason::kMaterialTrailingBytes);
  EXPECT_EQ(MetBy(Golden("ssh/ed25519.pub") + Golden("ssh/rsa-2048.pub")), "2 lines");
}

TEST(SshKeyTest, RefusesBlobsThatAreNotTheOneEncodingOfTheirKey) {
  const Key key = NamedKey("ED25519");
  const Key ec = EcKey("P-256");
  const std::string point = Point(ec, "uncompressed");
  const std::string curve = String("nistp256");
  const std::string ecdsa = "ecdsa-sha2-nistp256";
  const std::pair<std::string, std::string> lines[] = {
      {"ssh-ed25519 " + Base64Encode(String("ssh-ed448") + String(RawKey(key))), "\"ssh-ed448\""},
      {Line("ssh-ed25519", String(RawKey(key)) + "x"), "1 octets inside its base64"},
      {Line("ssh-ed25519", String(RawKey(key) + "x")), "33"},
      {Line("ssh-ed25519", ""), "0"},
      {Line(ecdsa, String("nistp384") + String(point)), "\"nistp384\""},
      {Line(ecdsa, curve + String(Point(ec, "compressed"))), "33 octets"},
      {Line(ecdsa, curve + String(point.substr(0, 64) + static_cast<char>(point[64] ^ 1))), "a point that is not on it"},
      {Line(ecdsa, curve + String(point) + String("")), "4 octets inside its base64"},
      {Line("ssh-rsa", String(std::string(1, '\0') + kExponent) + String(std::string(256, '\x41'))), "zeros in front"},
      {Line("ssh-rsa", String(kExponent) + String(std::string(2, '\0') + std::string(256, '\xc1'))), "zeros in front"},
      {Line("ssh-rsa", String(kExponent) + String(std::string(256, '\xc1'))), "a negative one"},
      {Line("ssh-rsa", String(kExponent) + String("")), "none"},
      {Line("ssh-rsa", String(std::string(1, '\0')) + String(std::string(256, '\x41'))), "zeros in front"},
      {"ssh-ed25519 " + Base64Encode("\xff\xff\xff\xff"), "4 octets that are none"},
  };
  for (const auto& [line, met] : lines) {
    EXPECT_EQ(ReasonOf(line), Reason::kMaterialMalformed) << met;
    EXPECT_EQ(MetBy(line), met);
  }
}

TEST(SshKeyTest, RefusesKeysThatAreWeak) {
  EXPECT_EQ(ReasonOf(Golden("ssh/rsa-1024.pub")), Reason::kKeyTooWeak);
  EXPECT_EQ(ReasonOf(Golden("ssh/dsa.pub")), Reason::kKeyTooWeak);
  EXPECT_EQ(ReasonOf(RsaLine(std::string(1, '\x03'), 256)), Reason::kKeyTooWeak);
  EXPECT_EQ(ReasonOf(RsaLine(kExponent, 1025)), Reason::kKeyUnsupported);
}

TEST(SshKeyTest, RefusesKeysWithoutAnSshfpNumber) {
  EXPECT_EQ(ReasonOf(Golden("ssh/ecdsa-256-cert.pub")), Reason::kKeyUnsupported);
  EXPECT_EQ(ReasonOf("ssh-ed25519-cert-v01@openssh.com AAAA"), Reason::kKeyUnsupported);
  EXPECT_EQ(ReasonOf("sk-ssh-ed25519@openssh.com AAAA"), Reason::kKeyUnsupported);
  EXPECT_EQ(ReasonOf("sk-ecdsa-sha2-nistp256@openssh.com AAAA"), Reason::kKeyUnsupported);
}

TEST(SshKeyTest, NamesWhatIsInTheWrongSlot) {
  const Key key = EcKey("P-256");
  EXPECT_EQ(ReasonOf("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), Reason::kMaterialWrongKind);
  EXPECT_EQ(MetBy("-----BEGIN PRIVATE KEY-----\nAAAA\n"), "a private key, which must never leave its host");
  EXPECT_EQ(ReasonOf(CertificatePem(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(ReasonOf(CertificateDer(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(ReasonOf(SpkiDer(key)), Reason::kMaterialWrongKind);
  EXPECT_EQ(ReasonOf("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n"), Reason::kMaterialWrongKind);
  for (const MaterialKind kind : {kCertificate, kCertificateRequest, kPublicKey}) {
    EXPECT_EQ(ReasonOf(EdLine(), kind), Reason::kMaterialWrongKind);
    EXPECT_EQ(ReasonOf(Golden("ssh/dsa.pub"), kind), Reason::kMaterialWrongKind);
    EXPECT_EQ(KeyMaterial::Parse(kind, EdLine()).error().met, "one OpenSSH public key line");
  }
}

}  // namespace
}  // namespace idzone::identity
