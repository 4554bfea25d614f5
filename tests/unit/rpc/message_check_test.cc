// SPDX-License-Identifier: MIT
#include "services/rpc/message_check.h"

#include <gtest/gtest.h>

#include "idzone/v1/enrollment_service.pb.h"
#include "idzone/v1/identity_service.pb.h"
#include "idzone/v1/namespace_service.pb.h"

namespace idzone::rpc {
namespace {

/// Field 200, a varint: what a client of a later release might send.
const std::string kLaterField("\xc0\x0c\x01", 3);

v1::CreateNamespaceRequest ValidRequest() {
  v1::CreateNamespaceRequest request;
  request.mutable_namespace_resource()->set_name("_device.acme.example.");
  request.mutable_namespace_resource()->mutable_layout()->set_kind(v1::LAYOUT_KIND_FLAT);
  request.mutable_namespace_resource()->set_profile(v1::RECORD_PROFILE_TLSA_3_1_1);
  return request;
}

TEST(MessageCheckTest, AcceptsWhatTheServerKnows) {
  EXPECT_TRUE(CheckKnown(ValidRequest()));
  EXPECT_TRUE(CheckKnown(v1::EnrollRequest()));
}

TEST(MessageCheckTest, RefusesAnUnknownField) {
  v1::EnrollRequest request;
  request.set_id("sensor1");
  ASSERT_TRUE(request.MergeFromString(kLaterField));

  const auto checked = CheckKnown(request);

  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().reason, Reason::kUnknownField);
  EXPECT_EQ(checked.error().met, "field number 200");
}

TEST(MessageCheckTest, RefusesAnUnknownFieldInsideAMessage) {
  v1::CreateNamespaceRequest request = ValidRequest();
  ASSERT_TRUE(request.mutable_namespace_resource()->mutable_layout()->MergeFromString(kLaterField));

  const auto checked = CheckKnown(request);

  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().reason, Reason::kUnknownField);
  EXPECT_EQ(checked.error().subject, "Layout");
}

TEST(MessageCheckTest, RefusesAnEnumNumberWithoutAName) {
  v1::CreateNamespaceRequest request = ValidRequest();
  request.mutable_namespace_resource()->set_profile(static_cast<v1::RecordProfile>(99));

  const auto checked = CheckKnown(request);

  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().reason, Reason::kEnumUnknown);
  EXPECT_EQ(checked.error().subject, "profile");
  EXPECT_EQ(checked.error().met, "99");
}

TEST(MessageCheckTest, LooksIntoRepeatedMessages) {
  v1::WaitForChangeResponse response;
  response.add_changes();
  ASSERT_TRUE(response.add_changes()->MergeFromString(kLaterField));

  EXPECT_FALSE(CheckKnown(response));
}

}  // namespace
}  // namespace idzone::rpc
