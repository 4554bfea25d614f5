// SPDX-License-Identifier: MIT
#include "cli/output/resource.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "idzone/v1/identity.pb.h"

namespace idzone::cli {
namespace {

v1::Identity RotatingIdentity() {
  v1::Identity identity;
  identity.set_id("ada");
  identity.set_owner_name("k3.1f._user.acme.example.");
  identity.set_private_label(true);
  v1::IdentityKey& old_key = *identity.add_keys();
  old_key.set_state(v1::KEY_STATE_RETIRED);
  old_key.set_record("SSHFP 4 2 aa");
  old_key.mutable_retire_time()->set_seconds(86400);
  v1::IdentityKey& new_key = *identity.add_keys();
  new_key.set_state(v1::KEY_STATE_ACTIVE);
  new_key.set_fingerprint("\x01\xff");
  new_key.set_record("TLSA 3 1 1 bb");
  return identity;
}

TEST(IdentityJsonTest, HasEveryKeyInOrder) {
  const Json object = IdentityJson(RotatingIdentity());

  EXPECT_EQ(object["active_keys"], 1);
  EXPECT_EQ(object["private_label"], true);
  ASSERT_EQ(object["keys"].size(), 2u);
  EXPECT_EQ(object["keys"][0]["state"], "retired");
  EXPECT_EQ(object["keys"][0]["retire_time"], "1970-01-02T00:00:00Z");
  EXPECT_EQ(object["keys"][1]["state"], "active");
  EXPECT_EQ(object["keys"][1]["record"], "TLSA 3 1 1 bb");
  EXPECT_EQ(object["keys"][1]["fingerprint"], "01ff");
  EXPECT_TRUE(object["keys"][1]["retire_time"].is_null());
}

TEST(IdentityJsonTest, TheClientIdIsTheNameWithoutItsLastDot) {
  EXPECT_EQ(IdentityJson(RotatingIdentity())["dane_clientid"], "k3.1f._user.acme.example");
}

}  // namespace
}  // namespace idzone::cli
