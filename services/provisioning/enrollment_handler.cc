// SPDX-License-Identifier: MIT
#include "services/provisioning/enrollment_handler.h"

#include "services/provisioning/convert.h"
#include "services/provisioning/enrollment_order.h"

namespace idzone::provisioning {
namespace {

/// A call that was refused at the gate.
class RefusedStream final : public grpc::ServerBidiReactor<v1::EnrollRequest, v1::EnrollStreamResponse> {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::Status EnrollmentHandler::ComputeOwnerName(grpc::ServerContext* context, const v1::ComputeOwnerNameRequest* request,
                                                 v1::ComputeOwnerNameResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EnrollmentService/ComputeOwnerName", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto label_privacy = LabelPrivacyFromProto(request->label_privacy());
    if (!label_privacy) return tl::unexpected(label_privacy.error());
    const auto owner = workflow_.ComputeOwnerName(caller, request->namespace_name(), request->id(), *label_privacy);
    if (!owner) return tl::unexpected(owner.error());
    response->set_owner_name(owner->Format());
    return {};
  });
}

grpc::Status EnrollmentHandler::Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request, v1::EnrollResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EnrollmentService/Enroll", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto order = OrderFromProto(*request);
    if (!order) return tl::unexpected(order.error());
    auto item = workflow_.Prepare(caller, *order);
    if (!item) return tl::unexpected(item.error());
    const NamespaceDirectory::Home home = item->home;
    const auto enrolled = CommitOne(workflow_.committer(), std::move(*item));
    if (!enrolled) return tl::unexpected(enrolled.error());
    ToProto(*home, enrolled->identity, response->mutable_identity());
    response->set_already_enrolled(enrolled->already);
    return {};
  });
}

grpc::Status EnrollmentHandler::ReEnroll(grpc::ServerContext* context, const v1::ReEnrollRequest* request, v1::ReEnrollResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EnrollmentService/ReEnroll", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto order = OrderFromProto(*request);
    if (!order) return tl::unexpected(order.error());
    const auto item = workflow_.PrepareKey(caller, *order);
    if (!item) return tl::unexpected(item.error());
    const auto enrolled = store::ReEnroll(database_, *item);
    if (!enrolled) return tl::unexpected(enrolled.error());
    ToProto(*item->home, enrolled->identity, response->mutable_identity());
    response->set_already_re_enrolled(enrolled->already);
    return {};
  });
}

grpc::ServerBidiReactor<v1::EnrollRequest, v1::EnrollStreamResponse>* EnrollmentHandler::EnrollStream(
    grpc::CallbackServerContext* context) {
  auto call = gate_.Admit(*context, "/idzone.v1.EnrollmentService/EnrollStream");
  if (!call) return new RefusedStream(rpc::ToStatus(call.error()));
  return EnrollmentStream::Begin({gate_, workflow_, streams_}, context, std::move(*call));
}

}  // namespace idzone::provisioning
