// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/enrollment_service.grpc.pb.h"
#include "services/provisioning/enrollment_stream.h"

namespace idzone::provisioning {

/// idzone.v1.EnrollmentService.
class EnrollmentHandler final : public v1::EnrollmentService::WithCallbackMethod_EnrollStream<v1::EnrollmentService::Service> {
 public:
  EnrollmentHandler(rpc::CallGate& gate, store::Database& database, EnrollmentWorkflow& workflow)
      : gate_(gate), database_(database), workflow_(workflow) {}

  grpc::Status ComputeOwnerName(grpc::ServerContext* context, const v1::ComputeOwnerNameRequest* request,
                                v1::ComputeOwnerNameResponse* response) override;
  grpc::Status Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request, v1::EnrollResponse* response) override;
  grpc::Status ReEnroll(grpc::ServerContext* context, const v1::ReEnrollRequest* request, v1::ReEnrollResponse* response) override;
  grpc::ServerBidiReactor<v1::EnrollRequest, v1::EnrollStreamResponse>* EnrollStream(grpc::CallbackServerContext* context) override;

  /// Open streams read no more, answer what they have read and end.
  void Drain() { streams_.Drain(); }

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
  EnrollmentWorkflow& workflow_;
  EnrollmentStreams streams_;
};

}  // namespace idzone::provisioning
