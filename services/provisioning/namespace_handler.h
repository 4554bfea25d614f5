// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/namespace_service.grpc.pb.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// idzone.v1.NamespaceService.
class NamespaceHandler final : public v1::NamespaceService::Service {
 public:
  NamespaceHandler(rpc::CallGate& gate, store::Database& database) : gate_(gate), database_(database) {}

  grpc::Status CreateNamespace(grpc::ServerContext* context, const v1::CreateNamespaceRequest* request,
                               v1::CreateNamespaceResponse* response) override;
  grpc::Status GetNamespace(grpc::ServerContext* context, const v1::GetNamespaceRequest* request,
                            v1::GetNamespaceResponse* response) override;
  grpc::Status ListNamespaces(grpc::ServerContext* context, const v1::ListNamespacesRequest* request,
                              v1::ListNamespacesResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
};

}  // namespace idzone::provisioning
