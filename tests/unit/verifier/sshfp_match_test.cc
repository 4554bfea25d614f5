// SPDX-License-Identifier: MIT
#include "services/verifier/sshfp_match.h"

#include <gtest/gtest.h>

#include "services/verifier/tlsa_match.h"

namespace idzone::verifier {
namespace {

// ssh-keygen -t ed25519 -N '' -C ada -f e; ssh-keygen -t ecdsa -b 256 -N '' -C ada -f p
constexpr char kEd25519[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJPYskEkySr3z6byIV4nc2v4oEE8d04vOllOoLB9A0NO ada";
constexpr char kP256[] =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEWPhXKFwXUKvY7gyE84OBWe3n+cP/UngHqqisVq3dmGSfit6rxLDjGZ"
    "eWMuU8wdgF1JveVk7phbkFbYBxsUZFU= ada";
// ssh-keygen -r x -f e.pub, and of p.pub
constexpr char kEd25519Sha1[] = "525d5a4c7ad173b96bf5a01aaa0e46668dc48c06";
constexpr char kEd25519Sha256[] = "73cbb19316d607af1b04420097ade3ea6e2c528a2b8597a9fefb9cf34ebb74a3";
constexpr char kP256Sha256[] = "14a1af3dab8dd0da24d9a3cd9b7062dd637800ef5581286f73e9ead0d23b329f";
// SHA-256 of the SubjectPublicKeyInfo that python3-cryptography makes of e.pub.
constexpr char kEd25519Spki[] = "0120f97625a4b8c593033f87adac1683b932214eba4dfd697f70d1590f591b3c";

identity::KeyMaterial Key(std::string_view line) {
  return identity::KeyMaterial::Parse(identity::MaterialKind::kSshPublicKey, line).value();
}

Octets Sshfp(int algorithm, int type, const std::string& hex) {
  return Octets{static_cast<char>(algorithm), static_cast<char>(type)} + HexDecode(hex, "hex").value();
}

TEST(SshfpMatchTest, MatchesWhatSshKeygenPrints) {
  EXPECT_TRUE(MatchSshfp({Sshfp(4, 2, kEd25519Sha256)}, Key(kEd25519)).matched);
  EXPECT_TRUE(MatchSshfp({Sshfp(3, 2, kP256Sha256)}, Key(kP256)).matched);
}

TEST(SshfpMatchTest, OneOfManyIsEnough) {
  EXPECT_TRUE(MatchSshfp({Octets(), Sshfp(3, 2, kP256Sha256), Sshfp(4, 2, kEd25519Sha256)}, Key(kEd25519)).matched);
}

TEST(SshfpMatchTest, AnotherKeyIsSaidToBeAnother) {
  const Match match = MatchSshfp({Sshfp(3, 2, kP256Sha256)}, Key(kEd25519));

  EXPECT_FALSE(match.matched);
  EXPECT_EQ(match.usable, 1u);
  EXPECT_NE(match.why.find("another one"), std::string::npos) << match.why;
}

TEST(SshfpMatchTest, TheAlgorithmMustMatchToo) {
  EXPECT_FALSE(MatchSshfp({Sshfp(3, 2, kEd25519Sha256)}, Key(kEd25519)).matched);
}

TEST(SshfpMatchTest, Sha1AndMalformedRecordsAreUnusable) {
  for (const Octets& rdata :
       {Sshfp(4, 1, kEd25519Sha1), Sshfp(4, 3, kEd25519Sha256), Sshfp(4, 2, kEd25519Sha1), Octets("\x04\x02"), Octets()}) {
    const Match match = MatchSshfp({rdata}, Key(kEd25519));

    EXPECT_FALSE(match.matched);
    EXPECT_EQ(match.usable, 0u);
    EXPECT_NE(match.why.find("cannot be used"), std::string::npos) << match.why;
  }
}

TEST(SshfpMatchTest, AKeyThatIsNoSshKeyMatchesNothing) {
  const auto bare = identity::KeyMaterial::Parse(identity::MaterialKind::kPublicKey, Key(kEd25519).spki()).value();

  EXPECT_FALSE(MatchSshfp({Sshfp(4, 2, kEd25519Sha256)}, bare).matched);
}

TEST(SshfpMatchTest, AnSshKeyMatchesTlsaBySpki) {
  const Octets rdata = Octets("\x03\x01\x01") + HexDecode(kEd25519Spki, "hex").value();

  EXPECT_TRUE(MatchTlsa({rdata}, Key(kEd25519)).matched);
  EXPECT_FALSE(MatchTlsa({rdata}, Key(kP256)).matched);
}

TEST(SshfpMatchTest, WritesPresentationForm) {
  EXPECT_EQ(FormatSshfp(Sshfp(4, 2, "aabb")), "4 2 aabb");
  EXPECT_EQ(FormatSshfp("\x04"), "04");
}

}  // namespace
}  // namespace idzone::verifier
