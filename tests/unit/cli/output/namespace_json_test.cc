// SPDX-License-Identifier: MIT
#include "cli/output/namespace_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace idzone::cli {
namespace {

/// Counts the values of an enum that a server may send, 0 left out.
int Values(const google::protobuf::EnumDescriptor* descriptor) {
  return descriptor->value_count() - 1;
}

TEST(NamespaceJsonTest, EveryValueHasASpelling) {
  EXPECT_EQ(kLayoutKinds.size(), static_cast<std::size_t>(Values(v1::LayoutKind_descriptor())));
  EXPECT_EQ(kEnumForms.size(), static_cast<std::size_t>(Values(v1::EnumForm_descriptor())));
  EXPECT_EQ(kLabelPrivacies.size(), static_cast<std::size_t>(Values(v1::LabelPrivacy_descriptor())));
  EXPECT_EQ(kDenialKinds.size(), static_cast<std::size_t>(Values(v1::DenialKind_descriptor())));
  EXPECT_EQ(kSigningAlgorithms.size(), static_cast<std::size_t>(Values(v1::SigningAlgorithm_descriptor())));
  for (int number = 1; number <= Values(v1::RecordProfile_descriptor()); ++number) {
    v1::Namespace resource;
    resource.set_profile(static_cast<v1::RecordProfile>(number));
    EXPECT_NE(NamespaceJson(resource)["profile"], "unknown") << number;
  }
}

TEST(NamespaceJsonTest, SaysWhatItsLayoutIs) {
  v1::Namespace resource;
  resource.mutable_layout()->set_kind(v1::LAYOUT_KIND_ENUM);
  resource.mutable_layout()->set_form(v1::ENUM_FORM_E164);
  EXPECT_EQ(NamespaceJson(resource)["layout"], "enum e164");

  resource.mutable_layout()->set_kind(v1::LAYOUT_KIND_TREE);
  resource.mutable_layout()->set_width(3);
  EXPECT_EQ(NamespaceJson(resource)["layout"], "tree 3");

  resource.mutable_layout()->set_kind(v1::LAYOUT_KIND_FLAT);
  EXPECT_EQ(NamespaceJson(resource)["layout"], "flat");
}

TEST(NamespaceJsonTest, TellsWhatItDoesNotKnow) {
  v1::Namespace resource;
  resource.set_denial(static_cast<v1::DenialKind>(99));

  EXPECT_EQ(NamespaceJson(resource)["denial"], "unknown");
}

TEST(NamespaceJsonTest, HasItsAuthority) {
  v1::Namespace resource;
  EXPECT_TRUE(NamespaceJson(resource)["authority"].is_null());

  resource.mutable_authority()->set_owner_name("_user.acme.example.");
  resource.mutable_authority()->set_fingerprint("\x0a");
  EXPECT_EQ(NamespaceJson(resource)["authority"]["owner_name"], "_user.acme.example.");
  EXPECT_EQ(NamespaceJson(resource)["authority"]["fingerprint"], "0a");
}

}  // namespace
}  // namespace idzone::cli
