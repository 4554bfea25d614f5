// SPDX-License-Identifier: MIT
#include "services/rpc/error_mapping.h"

#include <gtest/gtest.h>

#include "idzone/v1/error.pb.h"
#include "idzone/v1/status.pb.h"

namespace idzone::rpc {
namespace {

Error WeakKey() {
  return {Reason::kKeyTooWeak, "certificate", "RSA of 2048 bits or more", "1024 bits"};
}

TEST(ErrorMappingTest, StatusCarriesTheReasonAndWhatWasExpected) {
  const grpc::Status status = ToStatus(WeakKey());

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "KEY_TOO_WEAK certificate: expected RSA of 2048 bits or more, met 1024 bits");
  v1::RpcStatus inner;
  ASSERT_TRUE(inner.ParseFromString(status.error_details()));
  EXPECT_EQ(inner.code(), static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  ASSERT_EQ(inner.details_size(), 1);
  EXPECT_EQ(inner.details(0).type_url(), "type.googleapis.com/idzone.v1.ErrorDetail");
}

TEST(ErrorMappingTest, EveryReasonComesBackFromItsStatus) {
  for (std::uint16_t number = 1; number < 200; ++number) {
    const auto reason = static_cast<Reason>(number);
    if (number != 1 && ReasonName(reason) == "INTERNAL") continue;  // not a reason

    const Error back = ErrorFromStatus(ToStatus({reason, "field", "this", "that"}));

    EXPECT_EQ(ReasonName(back.reason), ReasonName(reason));
    EXPECT_EQ(back.subject, "field");
    EXPECT_EQ(back.expected, "this");
    EXPECT_EQ(back.met, "that");
    EXPECT_NE(StatusCodeOf(reason), grpc::StatusCode::OK);
  }
}

TEST(ErrorMappingTest, ItemOfAStreamSaysWhatTheStatusWouldSay) {
  v1::ItemError item;
  ToItemError(WeakKey(), &item);

  EXPECT_EQ(item.code(), static_cast<int>(ToStatus(WeakKey()).error_code()));
  EXPECT_EQ(item.message(), ToStatus(WeakKey()).error_message());
  EXPECT_EQ(ErrorFromItem(item).reason, Reason::kKeyTooWeak);
}

TEST(ErrorMappingTest, StatusOfGrpcItselfBecomesTheNearestReason) {
  EXPECT_EQ(ErrorFromStatus({grpc::StatusCode::UNAVAILABLE, "failed to connect"}).reason, Reason::kUnavailable);
  EXPECT_EQ(ErrorFromStatus({grpc::StatusCode::RESOURCE_EXHAUSTED, "message too long"}).reason, Reason::kLimitExceeded);
  EXPECT_EQ(ErrorFromStatus({grpc::StatusCode::UNIMPLEMENTED, "?"}).reason, Reason::kInternal);
}

TEST(ErrorMappingTest, ReasonOfANewerServerKeepsTheMeaningOfItsCode) {
  v1::ItemError item;
  item.set_code(static_cast<int>(grpc::StatusCode::ALREADY_EXISTS));
  item.mutable_detail()->set_reason("SOMETHING_NEW");

  EXPECT_EQ(ErrorFromItem(item).reason, Reason::kAlreadyExists);
}

TEST(ErrorMappingTest, DetailsThatAreNotOursAreNotBelieved) {
  const Error error = ErrorFromStatus({grpc::StatusCode::NOT_FOUND, "gone", "\xff\xff noise"});

  EXPECT_EQ(error.reason, Reason::kNotFound);
  EXPECT_EQ(error.met, "gone");
}

}  // namespace
}  // namespace idzone::rpc
