// SPDX-License-Identifier: MIT
#include "services/provisioning/access.h"

namespace idzone::provisioning {

const rpc::AccessTable& ProvisioningAccess() {
  using enum rpc::Role;
  static const rpc::RoleSet admin{kAdmin};
  static const rpc::RoleSet enroller{kEnroller};
  static const rpc::RoleSet re_enroller{kReEnroller};
  static const rpc::RoleSet any{kAdmin, kEnroller, kAuditor, kReEnroller};
  static const rpc::AccessTable table({
      {"/idzone.v1.OperatorService/CreateOperator", admin, true},
      {"/idzone.v1.OperatorService/ListOperators", admin, false},
      {"/idzone.v1.OperatorService/CreatePrincipal", admin, true},
      {"/idzone.v1.OperatorService/ListPrincipals", admin, false},
      {"/idzone.v1.OperatorService/DisablePrincipal", admin, true},
      {"/idzone.v1.NamespaceService/CreateNamespace", admin, true},
      {"/idzone.v1.NamespaceService/GetNamespace", any, false},
      {"/idzone.v1.NamespaceService/ListNamespaces", any, false},
      {"/idzone.v1.NamespaceService/SetAuthority", admin, true},
      {"/idzone.v1.NamespaceService/RemoveAuthority", admin, true},
      {"/idzone.v1.NamespaceService/AddCut", admin, true},
      {"/idzone.v1.NamespaceService/ListCuts", any, false},
      {"/idzone.v1.EnrollmentService/ComputeOwnerName", any, false},
      {"/idzone.v1.EnrollmentService/Enroll", enroller, true},
      {"/idzone.v1.EnrollmentService/EnrollStream", enroller, true},
      {"/idzone.v1.EnrollmentService/ReEnroll", re_enroller, true},
      {"/idzone.v1.IdentityService/GetIdentity", any, false},
      {"/idzone.v1.IdentityService/ListIdentities", any, false},
      {"/idzone.v1.IdentityService/RevokeIdentity", enroller, true},
      {"/idzone.v1.IdentityService/AddKey", enroller, true},
      {"/idzone.v1.IdentityService/RetireKey", enroller, true},
      {"/idzone.v1.IdentityService/WaitForChange", any, false},
      {"/idzone.v1.PolicyService/CreatePolicy", admin, true},
      {"/idzone.v1.PolicyService/GetPolicy", any, false},
      {"/idzone.v1.PolicyService/ListPolicies", any, false},
      {"/idzone.v1.ZoneService/GetZone", any, false},
      {"/idzone.v1.ZoneService/ListZones", any, false},
      {"/idzone.v1.ZoneService/GetZoneStatus", any, false},
      {"/idzone.v1.ZoneService/TrustClock", admin, true},
      {"/idzone.v1.ZoneService/ExportZone", any, false},
      {"/idzone.v1.KeyService/ListKeys", any, false},
      {"/idzone.v1.KeyService/GetKeyStatus", any, false},
      {"/idzone.v1.KeyService/RollKey", admin, true},
      {"/idzone.v1.KeyService/ConfirmParent", admin, true},
      {"/idzone.v1.EdgeService/RegisterEdge", admin, true},
      {"/idzone.v1.EdgeService/RemoveEdge", admin, true},
      {"/idzone.v1.EdgeService/GetEdge", admin, false},
      {"/idzone.v1.EdgeService/ListEdges", admin, false},
  });
  return table;
}

}  // namespace idzone::provisioning
