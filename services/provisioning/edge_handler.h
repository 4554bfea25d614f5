// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/edge_service.grpc.pb.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// idzone.v1.EdgeService.
class EdgeHandler final : public v1::EdgeService::Service {
 public:
  EdgeHandler(rpc::CallGate& gate, store::Database& database) : gate_(gate), database_(database) {}

  grpc::Status RegisterEdge(grpc::ServerContext* context, const v1::RegisterEdgeRequest* request,
                            v1::RegisterEdgeResponse* response) override;
  grpc::Status RemoveEdge(grpc::ServerContext* context, const v1::RemoveEdgeRequest* request, v1::RemoveEdgeResponse* response) override;
  grpc::Status GetEdge(grpc::ServerContext* context, const v1::GetEdgeRequest* request, v1::GetEdgeResponse* response) override;
  grpc::Status ListEdges(grpc::ServerContext* context, const v1::ListEdgesRequest* request, v1::ListEdgesResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
};

}  // namespace idzone::provisioning
