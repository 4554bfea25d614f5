// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token_keys.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "services/core/dns/dnskey.h"
#include "tests/unit/zone-signer/keys/soft_token.h"
#include "tests/unit/zone-signer/keys/verifies.h"
#include "zone-signer/keys/key_store.h"

namespace idzone::signer::keys {
namespace {

constexpr std::uint8_t kAlgorithms[] = {13, 15};
const std::set<std::uint16_t> kNone;

class TokenKeysTest : public ::testing::Test {
 protected:
  /// Tries for as long as a signer that waits would: the token is left alone for a while after each failure.
  static Result<void> CheckUntilWell(TokenKeys& keys) {
    Result<void> checked = keys.Check();
    for (int i = 0; i < 40 && !checked; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      checked = keys.Check();
    }
    return checked;
  }
  std::string WhyUnavailable(TokenKeys& keys) {
    const auto checked = keys.Check();
    if (checked) return "available";
    EXPECT_EQ(checked.error().reason, Reason::kKeyTokenUnavailable);
    return checked.error().Detail();
  }

  SoftToken token_;
};

TEST_F(TokenKeysTest, SignsWhatTheDnskeyVerifiesWithKeysOfTheToken) {
  TokenKeys keys = token_.Open().value();
  for (const std::uint8_t algorithm : kAlgorithms) {
    const SigningKey key = keys.Create(algorithm, 257, kNone).value();
    Signer signer = Signer::Make(key).value();

    for (int i = 0; i < 50; ++i) {
      const Octets data = "data " + std::to_string(i);
      ASSERT_TRUE(Verifies(key.dnskey(), data, signer.Sign(data).value())) << int{algorithm} << " " << i;
    }
  }
}

TEST_F(TokenKeysTest, FindsItsKeysAgainAfterARestart) {
  for (const std::uint8_t algorithm : kAlgorithms) {
    const auto made = token_.Open()->Create(algorithm, 257, kNone).value().dnskey();
    const auto id = KeyIdOf(algorithm, OctetsView(made).substr(4));

    TokenKeys again = token_.Open().value();
    const SigningKey found = again.Load(id).value();

    EXPECT_EQ(found.dnskey(), made);
    EXPECT_TRUE(Verifies(made, "x", Signer::Make(found)->Sign("x").value()));
  }
}

TEST_F(TokenKeysTest, SignsByManyThreadsAtOnce) {
  TokenKeys keys = token_.Open().value();
  const SigningKey key = keys.Create(13, 257, kNone).value();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        Signer signer = Signer::Make(key).value();
        for (int j = 0; j < 50; ++j) good += Verifies(key.dnskey(), "data", signer.Sign("data").value()) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(good, 200);
}

TEST_F(TokenKeysTest, ThrowsAwayKeysWhoseTagIsTaken) {
  TokenKeys keys = token_.Open().value();
  std::set<std::uint16_t> odd, all;
  for (std::uint32_t tag = 0; tag < 65536; ++tag) {
    all.insert(static_cast<std::uint16_t>(tag));
    if (tag % 2 == 1) odd.insert(static_cast<std::uint16_t>(tag));
  }

  for (int i = 0; i < 3; ++i) EXPECT_EQ(dns::KeyTag(keys.Create(13, 256, odd)->DnskeyWith(256)) % 2, 0);

  EXPECT_EQ(keys.Create(13, 256, all).error().reason, Reason::kLimitExceeded);
}

TEST_F(TokenKeysTest, DiscardsAKey) {
  TokenKeys keys = token_.Open().value();
  const KeyId id = keys.Create(13, 257, kNone)->id();

  keys.Discard(id);

  EXPECT_EQ(keys.Load(id).error().reason, Reason::kKeyFileInvalid);
}

TEST_F(TokenKeysTest, SaysThatAKeyIsMissing) {
  TokenKeys keys = token_.Open().value();

  const auto found = keys.Load(Sha256("none"));

  EXPECT_EQ(found.error().reason, Reason::kKeyFileInvalid);
  EXPECT_EQ(found.error().subject, "token zones");
  EXPECT_TRUE(keys.Check().has_value()) << "the others are not affected";
}

TEST_F(TokenKeysTest, RefusesKeysThatCouldBeReadOut) {
  const KeyId id = Sha256("any");
  const std::string command = "pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label zones --login --pin " +
                              std::string(SoftToken::kPin) + " --keypairgen --key-type EC:prime256v1 --extractable --id " + HexEncode(id) +
                              " >" + (token_.pin_file().parent_path() / "out").string() + " 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  TokenKeys keys = token_.Open().value();

  const auto found = keys.Load(id);

  EXPECT_EQ(found.error().reason, Reason::kKeyFileInvalid);
  EXPECT_NE(found.error().expected.find("CKA_EXTRACTABLE"), std::string::npos);
}

TEST_F(TokenKeysTest, RefusesModulesAndPinFilesThatCannotBeUsed) {
  TokenOptions options = token_.options();
  options.module = "/usr/lib/none.so";
  EXPECT_EQ(TokenKeys::Open(options).error().reason, Reason::kKeyFileInvalid);
  options.module = token_.pin_file();
  EXPECT_EQ(TokenKeys::Open(options).error().reason, Reason::kKeyFileInvalid) << "no library";
  options = token_.options();
  options.pin_file = "/none";
  EXPECT_EQ(TokenKeys::Open(options).error().reason, Reason::kKeyFileInvalid);
  std::filesystem::permissions(token_.pin_file(), static_cast<std::filesystem::perms>(0640));
  EXPECT_EQ(token_.Open().error().expected, "mode 0600 or 0400");
  std::filesystem::permissions(token_.pin_file(), static_cast<std::filesystem::perms>(0600));
  token_.WritePin("\n");
  EXPECT_EQ(token_.Open().error().met, "an empty line");
}

TEST_F(TokenKeysTest, WaitsForATokenOfTheRightLabelAndNamesTheOthers) {
  TokenOptions options = token_.options();
  options.label = "other";
  TokenKeys keys = TokenKeys::Open(options).value();
  EXPECT_NE(WhyUnavailable(keys).find("met tokens zones"), std::string::npos);

  token_.Initialize("other");

  EXPECT_TRUE(CheckUntilWell(keys).has_value());
}

TEST_F(TokenKeysTest, RefusesTwoTokensOfOneLabel) {
  token_.Initialize("zones");
  TokenKeys keys = token_.Open().value();

  EXPECT_NE(WhyUnavailable(keys).find("tokens zones, zones"), std::string::npos);
}

TEST_F(TokenKeysTest, TriesAWrongPinOnceAndAgainWhenTheFileHasAnotherOne) {
  token_.WritePin("141421");
  TokenKeys keys = token_.Open().value();
  EXPECT_NE(WhyUnavailable(keys).find("CKR_PIN_INCORRECT"), std::string::npos);
  // If it were tried again, this would be another reason.
  token_.TellFault("C_Login 0xa4");
  std::this_thread::sleep_for(std::chrono::milliseconds(2200));
  EXPECT_NE(WhyUnavailable(keys).find("tried again when the file has another"), std::string::npos);

  token_.TellNoFault();
  token_.WritePin(SoftToken::kPin);

  EXPECT_TRUE(CheckUntilWell(keys).has_value());
}

TEST_F(TokenKeysTest, SaysThatThePinIsLockedAndWaits) {
  token_.TellFault("C_Login 0xa4");
  TokenKeys keys = token_.Open().value();
  EXPECT_NE(WhyUnavailable(keys).find("CKR_PIN_LOCKED: too many wrong PINs; its security officer"), std::string::npos);

  token_.TellNoFault();

  EXPECT_TRUE(CheckUntilWell(keys).has_value());
}

TEST_F(TokenKeysTest, LeavesTheLastTryToAHuman) {
  constexpr const char* kFinalTryAndNoLogin = "flags 0x20000 C_Login 0xa4";
  token_.TellFault(kFinalTryAndNoLogin);
  TokenKeys keys = token_.Open().value();

  EXPECT_NE(WhyUnavailable(keys).find("the last one before it locks itself"), std::string::npos);
}

TEST_F(TokenKeysTest, SaysThatTheTokenIsFullAndStillSigns) {
  TokenKeys keys = token_.Open().value();
  const SigningKey key = keys.Create(13, 257, kNone).value();
  token_.TellFault("C_GenerateKeyPair 0x31");

  const auto refused = keys.Create(13, 257, kNone);

  EXPECT_EQ(refused.error().reason, Reason::kKeyTokenUnavailable);
  EXPECT_NE(refused.error().met.find("CKR_DEVICE_MEMORY: it is full"), std::string::npos);
  EXPECT_TRUE(keys.Check().has_value());
  EXPECT_TRUE(Signer::Make(key)->Sign("x").has_value());
}

TEST_F(TokenKeysTest, LeavesNoKeyBehindThatCouldNotBeNamed) {
  TokenKeys keys = token_.Open().value();
  const auto objects = [&] { return std::distance(std::filesystem::recursive_directory_iterator(token_.tokens()), {}); };
  const auto before = objects();
  token_.TellFault("C_SetAttributeValue 0x31");

  EXPECT_FALSE(keys.Create(13, 257, kNone).has_value());

  EXPECT_EQ(objects(), before);
}

TEST_F(TokenKeysTest, UsesATokenAgainThatWasPulledOutWhileItSigned) {
  TokenKeys keys = token_.Open().value();
  const KeyId id = keys.Create(15, 257, kNone)->id();
  token_.TellFault("C_Sign 0x32");
  {
    const SigningKey key = keys.Load(id).value();
    const auto failed = Signer::Make(key)->Sign("x");
    EXPECT_EQ(failed.error().reason, Reason::kKeyTokenUnavailable);
    EXPECT_NE(failed.error().met.find("CKR_DEVICE_REMOVED"), std::string::npos);
    EXPECT_FALSE(keys.Check().has_value()) << "a key of the lost connection is in use";
  }
  token_.TellNoFault();

  ASSERT_TRUE(CheckUntilWell(keys).has_value());
  const SigningKey again = keys.Load(id).value();
  EXPECT_TRUE(Verifies(again.dnskey(), "x", Signer::Make(again)->Sign("x").value()));
}

TEST_F(TokenKeysTest, WaitsForATokenThatIsGone) {
  TokenKeys keys = token_.Open().value();
  const KeyId id = keys.Create(13, 257, kNone)->id();
  token_.TakeAway();
  EXPECT_FALSE(keys.Load(id).has_value() && keys.Check().has_value());

  token_.BringBack();

  ASSERT_TRUE(CheckUntilWell(keys).has_value());
  EXPECT_TRUE(keys.Load(id).has_value());
}

TEST_F(TokenKeysTest, KeysMoveFromFilesToTheTokenWhileBothAreFound) {
  const sealing::TemporaryDirectory files;
  const sealing::TemporaryDirectory outside;
  const auto kek = outside.Write("kek", Octets(32, 'k'));
  const auto directory = [&] { return KeyDirectory::Open(files.path(), kek).value(); };
  const KeyId old = directory().Create(13)->id();
  KeyStore both(token_.Open().value(), directory());

  const KeyId made = both.Create(13)->id();

  EXPECT_TRUE(both.Load(old).has_value());
  EXPECT_TRUE(both.Load(made).has_value());
  EXPECT_FALSE(directory().Has(made));
  both.Discard(made);
  EXPECT_FALSE(both.Load(made).has_value());
}

}  // namespace
}  // namespace idzone::signer::keys
