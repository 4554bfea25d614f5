// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "idzone/v1/identity_service.grpc.pb.h"
#include "services/provisioning/enrollment_workflow.h"
#include "services/rpc/call.h"

namespace idzone::provisioning {

/// idzone.v1.IdentityService.
class IdentityHandler final : public v1::IdentityService::Service {
 public:
  IdentityHandler(rpc::CallGate& gate, store::Database& database, NamespaceDirectory& namespaces, EnrollmentWorkflow& workflow,
                  RevocationCommitter& committer)
      : gate_(gate), database_(database), namespaces_(namespaces), workflow_(workflow), committer_(committer) {}

  grpc::Status GetIdentity(grpc::ServerContext* context, const v1::GetIdentityRequest* request, v1::GetIdentityResponse* response) override;
  grpc::Status ListIdentities(grpc::ServerContext* context, const v1::ListIdentitiesRequest* request,
                              v1::ListIdentitiesResponse* response) override;
  grpc::Status RevokeIdentity(grpc::ServerContext* context, const v1::RevokeIdentityRequest* request,
                              v1::RevokeIdentityResponse* response) override;
  grpc::Status AddKey(grpc::ServerContext* context, const v1::AddKeyRequest* request, v1::AddKeyResponse* response) override;
  grpc::Status RetireKey(grpc::ServerContext* context, const v1::RetireKeyRequest* request, v1::RetireKeyResponse* response) override;
  grpc::Status WaitForChange(grpc::ServerContext* context, const v1::WaitForChangeRequest* request,
                             v1::WaitForChangeResponse* response) override;

  /// Calls that wait answer at once.
  void Drain() { draining_ = true; }

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
  NamespaceDirectory& namespaces_;
  EnrollmentWorkflow& workflow_;
  RevocationCommitter& committer_;
  std::atomic<bool> draining_ = false;
};

}  // namespace idzone::provisioning
