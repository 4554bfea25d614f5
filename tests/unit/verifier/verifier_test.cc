// SPDX-License-Identifier: MIT
#include "services/verifier/verifier.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace idzone::verifier
