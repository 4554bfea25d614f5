// SPDX-License-Identifier: MIT
#include "services/sealing/sealing.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/sealing/temporary_directory.h"

namespace idzone::sealing {
namespace {

Secret SecretOf(OctetsView octets) {
  Secret secret(octets.size());
  std::memcpy(secret.data(), octets.data(), octets.size());
  return secret;
}

KeyEncryptionKey ValidKek(char fill = 'k') {
  return KeyEncryptionKey(SecretOf(Octets(32, fill)));
}

const Octets kKeyId = Sha256("a key");

TEST(SealingTest, OpensWhatItSealed) {
  const auto sealed = ValidKek().Seal(kKeyId, SecretOf("the private part"));

  const auto secret = ValidKek().Unseal(kKeyId, sealed.value(), "file");

  EXPECT_EQ(secret.value().view(), "the private part");
}

TEST(SealingTest, SealsDifferentlyEachTime) {
  const Secret secret = SecretOf("the private part");

  EXPECT_NE(ValidKek().Seal(kKeyId, secret).value(), ValidKek().Seal(kKeyId, secret).value());
}

TEST(SealingTest, ContainsNothingOfTheSecret) {
  const auto sealed = ValidKek().Seal(kKeyId, SecretOf("the private part"));

  EXPECT_EQ(sealed.value().find("private"), Octets::npos);
}

TEST(SealingTest, RefusesEveryFlippedBit) {
  const Octets sealed = ValidKek().Seal(kKeyId, SecretOf("the private part")).value();

  // Magic, format version, nonce, ciphertext and tag: each octet of the file.
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Octets altered = sealed;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    const auto opened = ValidKek().Unseal(kKeyId, altered, "file");
    ASSERT_FALSE(opened.has_value()) << "octet " << at;
    EXPECT_EQ(opened.error().reason, Reason::kKeyFileInvalid);
    EXPECT_EQ(opened.error().subject, "file");
  }
}

TEST(SealingTest, RefusesEveryTruncationAndTrailingOctets) {
  const Octets sealed = ValidKek().Seal(kKeyId, SecretOf("the private part")).value();

  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(ValidKek().Unseal(kKeyId, OctetsView(sealed).substr(0, size), "file").has_value()) << size;
  EXPECT_FALSE(ValidKek().Unseal(kKeyId, sealed + '\0', "file").has_value());
}

TEST(SealingTest, RefusesAnotherKek) {
  const Octets sealed = ValidKek().Seal(kKeyId, SecretOf("the private part")).value();

  EXPECT_FALSE(ValidKek('x').Unseal(kKeyId, sealed, "file").has_value());
}

TEST(SealingTest, RefusesTheFileOfAnotherKey) {
  const Octets sealed = ValidKek().Seal(kKeyId, SecretOf("the private part")).value();

  EXPECT_FALSE(ValidKek().Unseal(Sha256("another key"), sealed, "file").has_value());
}

TEST(SealingTest, LoadsRawAndHexKeks) {
  const TemporaryDirectory directory;
  const Octets octets = Sha256("kek");
  const Octets sealed = KeyEncryptionKey(SecretOf(octets)).Seal(kKeyId, SecretOf("s")).value();

  for (const Octets& content : {octets, HexEncode(octets), HexEncode(octets) + "\n"}) {
    const auto kek = KeyEncryptionKey::Load(directory.Write("kek", content));
    ASSERT_TRUE(kek.has_value()) << kek.error().Detail();
    EXPECT_TRUE(kek->Unseal(kKeyId, sealed, "file").has_value());
  }
}

TEST(SealingTest, RefusesKeksOfAnotherSize) {
  const TemporaryDirectory directory;

  for (const Octets& content : {Octets(), Octets(31, 'k'), Octets(33, 'k'), Octets(64, 'k'), Octets(63, 'a'), Octets(1000, 'a')})
    EXPECT_FALSE(KeyEncryptionKey::Load(directory.Write("kek", content)).has_value()) << content.size();
}

TEST(SealingTest, RefusesAKekThatOthersMayRead) {
  const TemporaryDirectory directory;

  for (const unsigned mode : {0640u, 0604u, 0644u, 0660u, 0700u}) {
    const auto kek = KeyEncryptionKey::Load(directory.Write("kek", Octets(32, 'k'), mode));
    ASSERT_FALSE(kek.has_value()) << mode;
    EXPECT_EQ(kek.error().expected, "mode 0600 or 0400");
  }
  EXPECT_TRUE(KeyEncryptionKey::Load(directory.Write("kek", Octets(32, 'k'), 0400)).has_value());
}

TEST(SealingTest, LoadsACredentialOfSystemdThatTheGroupSeemsToRead) {
  const TemporaryDirectory credentials, elsewhere;
  setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);

  for (const unsigned mode : {0440u, 0400u})
    EXPECT_TRUE(KeyEncryptionKey::Load(credentials.Write("kek", Octets(32, 'k'), mode)).has_value()) << mode;
  for (const unsigned mode : {0640u, 0444u, 0460u, 0550u}) {
    const auto kek = KeyEncryptionKey::Load(credentials.Write("kek", Octets(32, 'k'), mode));
    ASSERT_FALSE(kek.has_value()) << mode;
    EXPECT_EQ(kek.error().expected, "mode 0440 or 0400");
  }
  EXPECT_FALSE(KeyEncryptionKey::Load(elsewhere.Write("kek", Octets(32, 'k'), 0440)).has_value());
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_FALSE(KeyEncryptionKey::Load(credentials.Write("kek", Octets(32, 'k'), 0440)).has_value());
}

TEST(SealingTest, RefusesASymbolicLink) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink(directory.Write("kek", Octets(32, 'k')), directory.path() / "link");

  EXPECT_FALSE(KeyEncryptionKey::Load(directory.path() / "link").has_value());
}

}  // namespace
}  // namespace idzone::sealing
