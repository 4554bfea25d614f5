// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/namespace_service.grpc.pb.h"
#include "services/provisioning/naming.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// idzone.v1.NamespaceService.
class NamespaceHandler final : public v1::NamespaceService::Service {
 public:
  NamespaceHandler(rpc::CallGate& gate, store::Database& database, const Naming& naming)
      : gate_(gate), database_(database), naming_(naming) {}

  grpc::Status CreateNamespace(grpc::ServerContext* context, const v1::CreateNamespaceRequest* request,
                               v1::CreateNamespaceResponse* response) override;
  grpc::Status GetNamespace(grpc::ServerContext* context, const v1::GetNamespaceRequest* request,
                            v1::GetNamespaceResponse* response) override;
  grpc::Status ListNamespaces(grpc::ServerContext* context, const v1::ListNamespacesRequest* request,
                              v1::ListNamespacesResponse* response) override;
  grpc::Status SetAuthority(grpc::ServerContext* context, const v1::SetAuthorityRequest* request,
                            v1::SetAuthorityResponse* response) override;
  grpc::Status RemoveAuthority(grpc::ServerContext* context, const v1::RemoveAuthorityRequest* request,
                               v1::RemoveAuthorityResponse* response) override;
  grpc::Status AddCut(grpc::ServerContext* context, const v1::AddCutRequest* request, v1::AddCutResponse* response) override;
  grpc::Status ListCuts(grpc::ServerContext* context, const v1::ListCutsRequest* request, v1::ListCutsResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
  const Naming& naming_;
};

}  // namespace idzone::provisioning
