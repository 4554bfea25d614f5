// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/policy_service.grpc.pb.h"
#include "services/core/zone/policy.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
}

namespace idzone::provisioning {

/// Reads a policy to be. VALUE_MISSING, VALUE_MALFORMED, VALUE_OUT_OF_RANGE.
Result<zone::ZonePolicy> PolicyFromProto(const v1::Policy& proto);

/// idzone.v1.PolicyService.
class PolicyHandler final : public v1::PolicyService::Service {
 public:
  PolicyHandler(rpc::CallGate& gate, store::Database& database) : gate_(gate), database_(database) {}

  grpc::Status CreatePolicy(grpc::ServerContext* context, const v1::CreatePolicyRequest* request,
                            v1::CreatePolicyResponse* response) override;
  grpc::Status GetPolicy(grpc::ServerContext* context, const v1::GetPolicyRequest* request, v1::GetPolicyResponse* response) override;
  grpc::Status ListPolicies(grpc::ServerContext* context, const v1::ListPoliciesRequest* request,
                            v1::ListPoliciesResponse* response) override;

 private:
  rpc::CallGate& gate_;
  store::Database& database_;
};

}  // namespace idzone::provisioning
