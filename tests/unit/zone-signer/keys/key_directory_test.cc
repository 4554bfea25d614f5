// SPDX-License-Identifier: MIT
#include "zone-signer/keys/key_directory.h"

#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "services/sealing/private_file.h"
#include "tests/unit/sealing/temporary_directory.h"

namespace idzone::signer::keys {
namespace {

class KeyDirectoryTest : public ::testing::Test {
 protected:
  KeyDirectoryTest() {
    kek_ = outside_.Write("kek", Octets(32, 'k'));
    other_kek_ = outside_.Write("other_kek", Octets(32, 'x'));
  }
  Result<KeyDirectory> Open() { return KeyDirectory::Open(keys_.path(), kek_); }

  sealing::TemporaryDirectory keys_;
  sealing::TemporaryDirectory outside_;
  std::filesystem::path kek_;
  std::filesystem::path other_kek_;
};

TEST_F(KeyDirectoryTest, FindsItsKeysAgainAfterARestart) {
  for (const std::uint8_t algorithm : {std::uint8_t{13}, std::uint8_t{15}}) {
    const SigningKey key = Open()->Create(algorithm).value();

    const auto found = Open()->Load(key.id());

    EXPECT_EQ(found.value().dnskey(), key.dnskey());
    EXPECT_EQ(found.value().algorithm(), algorithm);
  }
}

TEST_F(KeyDirectoryTest, LeavesOneFileNamedByTheKeyAndNobodyElseMayReadIt) {
  const SigningKey key = Open()->Create(13).value();

  ASSERT_EQ(std::distance(std::filesystem::directory_iterator(keys_.path()), {}), 1);
  const auto status = std::filesystem::status(keys_.path() / HexEncode(key.id()));
  EXPECT_EQ(status.permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(KeyDirectoryTest, ThrowsAwayKeysWhoseTagIsTaken) {
  std::set<std::uint16_t> odd, all;
  for (std::uint32_t tag = 0; tag < 65536; ++tag) {
    all.insert(static_cast<std::uint16_t>(tag));
    if (tag % 2 == 1) odd.insert(static_cast<std::uint16_t>(tag));
  }

  for (int i = 0; i < 8; ++i) EXPECT_EQ(dns::KeyTag(Open()->Create(13, 256, odd)->DnskeyWith(256)) % 2, 0);

  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(keys_.path()), {}), 8);
  EXPECT_EQ(Open()->Create(13, 256, all).error().reason, Reason::kLimitExceeded);
}

TEST_F(KeyDirectoryTest, SaysThatAKeyIsMissing) {
  const auto found = Open()->Load(Sha256("none"));

  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().reason, Reason::kKeyFileInvalid);
  EXPECT_EQ(found.error().subject, (keys_.path() / HexEncode(Sha256("none"))).string());
}

TEST_F(KeyDirectoryTest, RefusesKeysSealedWithAnotherKek) {
  const SigningKey key = Open()->Create(13).value();

  const auto opened = KeyDirectory::Open(keys_.path(), other_kek_);

  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().reason, Reason::kKeyFileInvalid);
  EXPECT_EQ(opened.error().subject, other_kek_.string());
  EXPECT_EQ(Open()->Load(key.id()).value().dnskey(), key.dnskey());
}

TEST_F(KeyDirectoryTest, OpensWhenOneOfItsKeysIsDamaged) {
  const SigningKey damaged = Open()->Create(13).value();
  const SigningKey sound = Open()->Create(13).value();
  std::filesystem::resize_file(keys_.path() / HexEncode(damaged.id()), 20);

  auto directory = Open();

  ASSERT_TRUE(directory.has_value()) << directory.error().Detail();
  EXPECT_EQ(directory->Load(damaged.id()).error().reason, Reason::kKeyFileInvalid);
  EXPECT_TRUE(directory->Load(sound.id()).has_value());
}

TEST_F(KeyDirectoryTest, RefusesAKeyThatWasRenamed) {
  KeyDirectory directory = Open().value();
  const SigningKey one = directory.Create(13).value();
  const SigningKey two = directory.Create(13).value();
  const SigningKey sound = directory.Create(13).value();
  std::filesystem::rename(keys_.path() / HexEncode(one.id()), keys_.path() / HexEncode(two.id()));

  EXPECT_FALSE(Open()->Load(two.id()).has_value());
  EXPECT_TRUE(Open()->Load(sound.id()).has_value());
}

TEST_F(KeyDirectoryTest, RefusesAKeyFileThatOthersMayRead) {
  const SigningKey key = Open()->Create(13).value();
  std::filesystem::permissions(keys_.path() / HexEncode(key.id()), static_cast<std::filesystem::perms>(0644));

  EXPECT_FALSE(Open()->Load(key.id()).has_value());
}

TEST_F(KeyDirectoryTest, RefusesADirectoryThatOthersMayEnter) {
  std::filesystem::permissions(keys_.path(), static_cast<std::filesystem::perms>(0750));

  const auto directory = Open();

  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().expected, "mode 0700");
}

TEST_F(KeyDirectoryTest, RefusesADirectoryThatIsNotThere) {
  EXPECT_FALSE(KeyDirectory::Open(keys_.path() / "none", kek_).has_value());
}

}  // namespace
}  // namespace idzone::signer::keys
