// SPDX-License-Identifier: MIT
#include "services/verifier/verifier.h"

#include <gtest/gtest.h>

#include "services/core/identity/key_material.h"
#include "services/verifier/ssh_user.h"

namespace idzone::verifier {
namespace {

const dns::Name kZone = dns::Name::Parse("_device.acme.example").value();

VerifierOptions Valid() {
  return {.trust_anchors = {{kZone, "_device.acme.example. IN DS 1 13 2 " + std::string(64, 'a')}},
          .resolver = "127.0.0.1@1",
          .resolver_is_authoritative = false,
          .deadline = std::chrono::milliseconds(1000)};
}

TEST(VerifierTest, NeedsAnAnchor) {
  VerifierOptions options = Valid();
  options.trust_anchors.clear();

  EXPECT_EQ(Verifier::Open(options).error().reason, Reason::kValueMissing);
}

TEST(VerifierTest, RefusesAnAddressThatIsNone) {
  VerifierOptions options = Valid();
  options.resolver = "not an address";

  EXPECT_EQ(Verifier::Open(options).error().reason, Reason::kValueMalformed);
}

TEST(VerifierTest, RefusesAnAnchorThatCannotBeRead) {
  VerifierOptions options = Valid();
  options.trust_anchors[0].line = "_device.acme.example. IN DS 1 13 2 zz";

  EXPECT_EQ(Verifier::Open(options).error().reason, Reason::kValueMalformed);
}

TEST(VerifierTest, AServerThatIsNotThereIsUnreachableInTime) {
  for (const bool authoritative : {false, true}) {
    VerifierOptions options = Valid();
    options.resolver_is_authoritative = authoritative;
    Verifier verifier = Verifier::Open(options).value();
    const auto begin = std::chrono::steady_clock::now();

    const Finding finding = verifier.Verify(kZone, nullptr);

    EXPECT_EQ(finding.verdict, Verdict::kUnreachable) << finding.why;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  }
}

TEST(VerifierTest, EveryNameOfAnSshUserIsAskedWithinOneDeadline) {
  // ssh-keygen -t ed25519
  const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kSshPublicKey,
                                                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJPYskEkySr3z6byIV4nc2v4oEE8d04vOllOoLB9A0NO")
                       .value();
  Verifier verifier = Verifier::Open(Valid()).value();
  const auto begin = std::chrono::steady_clock::now();

  const Finding finding = FindSshKey(verifier, {kZone, kZone, kZone, kZone}, key, std::chrono::milliseconds(1500));

  EXPECT_EQ(finding.verdict, Verdict::kUnreachable) << finding.why;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

}  // namespace
}  // namespace idzone::verifier
