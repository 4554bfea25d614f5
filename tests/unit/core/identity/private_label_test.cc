// SPDX-License-Identifier: MIT
#include "services/core/identity/private_label.h"

#include <gtest/gtest.h>

namespace idzone::identity {
namespace {

// printf 'alice smith' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f, its first 20 octets in base32hex (python3:
// base64.b32hexencode(bytes.fromhex(digest)[:20]).lower()); the subject's form lowers it first.
TEST(PrivateLabelTest, IsTheFirst160BitsOfTheHmacOfTheSubject) {
  Octets secret;
  for (char octet = 0; octet < 32; ++octet) secret.push_back(octet);
  const Subject alice = Subject::Parse(SubjectForm::kUser, "Alice Smith").value();

  EXPECT_EQ(PrivateLabel(secret, alice), "3jahfnokkr5ckvig2bktp3gup43rjch1");
  EXPECT_EQ(PrivateLabel(secret, alice).size(), kPrivateLabelOctets);
}

TEST(PrivateLabelTest, DependsOnTheSecret) {
  const Subject alice = Subject::Parse(SubjectForm::kUser, "alice").value();
  EXPECT_NE(PrivateLabel(Octets(32, 'a'), alice), PrivateLabel(Octets(32, 'b'), alice));
}

}  // namespace
}  // namespace idzone::identity
