// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/key_service.grpc.pb.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
}  // namespace idzone::store

namespace idzone::provisioning {

/// idzone.v1.KeyService: shows what the signer does with keys, and queues what operators ask of it.
class KeyHandler final : public v1::KeyService::Service {
 public:
  KeyHandler(rpc::CallGate& gate, store::Database& database) : gate_(gate), database_(database) {}

  grpc::Status ListKeys(grpc::ServerContext* context, const v1::ListKeysRequest* request, v1::ListKeysResponse* response) override;
  grpc::Status GetKeyStatus(grpc::ServerContext* context, const v1::GetKeyStatusRequest* request,
                            v1::GetKeyStatusResponse* response) override;
  grpc::Status RollKey(grpc::ServerContext* context, const v1::RollKeyRequest* request, v1::RollKeyResponse* response) override;
  grpc::Status ConfirmParent(grpc::ServerContext* context, const v1::ConfirmParentRequest* request,
                             v1::ConfirmParentResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
};

}  // namespace idzone::provisioning
