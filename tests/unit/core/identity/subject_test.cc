// SPDX-License-Identifier: MIT
#include "services/core/identity/subject.h"

#include <gtest/gtest.h>

namespace idzone::identity {
namespace {

TEST(DeviceIdTest, KeepsLettersDigitsHyphensAndUnderscoresInLowerCase) {
  EXPECT_EQ(DeviceId::Parse("Sensor-7_b").value().text(), "sensor-7_b");
  EXPECT_TRUE(DeviceId::Parse(std::string(63, 'a')).has_value());
}

TEST(DeviceIdTest, RefusesWhatIsNotOneHarmlessLabel) {
  for (const std::string& text :
       {std::string(), std::string(64, 'a'), std::string("a.b"), std::string("-a"), std::string("a-"), std::string("_acme-challenge"),
        std::string("a b"), std::string("é"), std::string("a\0b", 3), std::string("*"), std::string("a\\.b")}) {
    const auto id = DeviceId::Parse(text);
    ASSERT_FALSE(id.has_value()) << text;
    EXPECT_EQ(id.error().reason, Reason::kIdMalformed);
    EXPECT_EQ(id.error().subject, "id");
  }
}

TEST(DeviceIdTest, IdentityDependsOnNamespaceAndId) {
  const auto id = DeviceId::Parse("a").value();
  EXPECT_EQ(MakeIdentityId("n", id).size(), kIdentityIdOctets);
  EXPECT_EQ(MakeIdentityId("n", id), MakeIdentityId("n", DeviceId::Parse("A").value()));
  EXPECT_NE(MakeIdentityId("n", id), MakeIdentityId("m", id));
}

}  // namespace
}  // namespace idzone::identity
