// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/operator_service.grpc.pb.h"
#include "services/provisioning/principal_directory.h"
#include "services/rpc/call.h"

namespace idzone::provisioning {

/// idzone.v1.OperatorService.
class OperatorHandler final : public v1::OperatorService::Service {
 public:
  OperatorHandler(rpc::CallGate& gate, store::Database& database, PrincipalDirectory& principals)
      : gate_(gate), database_(database), principals_(principals) {}

  grpc::Status CreateOperator(grpc::ServerContext* context, const v1::CreateOperatorRequest* request,
                              v1::CreateOperatorResponse* response) override;
  grpc::Status ListOperators(grpc::ServerContext* context, const v1::ListOperatorsRequest* request,
                             v1::ListOperatorsResponse* response) override;
  grpc::Status CreatePrincipal(grpc::ServerContext* context, const v1::CreatePrincipalRequest* request,
                               v1::CreatePrincipalResponse* response) override;
  grpc::Status ListPrincipals(grpc::ServerContext* context, const v1::ListPrincipalsRequest* request,
                              v1::ListPrincipalsResponse* response) override;
  grpc::Status DisablePrincipal(grpc::ServerContext* context, const v1::DisablePrincipalRequest* request,
                                v1::DisablePrincipalResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
  PrincipalDirectory& principals_;
};

}  // namespace idzone::provisioning
