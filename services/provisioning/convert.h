// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/edge_service.pb.h"
#include "idzone/v1/identity.pb.h"
#include "idzone/v1/namespace.pb.h"
#include "idzone/v1/operator_service.pb.h"
#include "idzone/v1/zone_service.pb.h"
#include "services/rpc/caller.h"
#include "services/store/registry_record.h"
#include "services/store/registry_zone.h"

/// Protobuf ⇄ core: protobuf stops here.
namespace idzone::provisioning {

store::Actor ActorOf(const rpc::Caller& caller);

void ToProto(const store::NamespaceRecord& record, v1::Namespace* proto);
/// The owner name is computed from the namespace's layout.
void ToProto(const store::NamespaceRecord& home, const store::IdentityRecord& record, v1::Identity* proto);
void ToProto(const store::PublishedIn& version, v1::ZoneVersion* proto);
void ToProto(const store::OperatorRecord& record, v1::Operator* proto);
void ToProto(const store::PrincipalRecord& record, v1::Principal* proto);
void ToProto(const store::EdgeRecord& record, v1::Edge* proto);
/// With the NS and DS lines for the parent zone.
void ToProto(const store::ZoneRecord& record, v1::Zone* proto);

/// Reads the fields of a namespace to be. `default_operator` is the caller's.
/// VALUE_MISSING, NAME_MALFORMED, ZONE_APEX_FORBIDDEN, ENUM_UNKNOWN, VALUE_OUT_OF_RANGE.
Result<store::NamespaceRecord> NamespaceFromProto(const v1::Namespace& proto, std::uint64_t expected_identities,
                                                  const std::string& default_operator);

/// Checks texts that become keys or are shown: VALUE_MISSING, VALUE_MALFORMED, LIMIT_EXCEEDED.
Result<void> CheckOperatorId(const std::string& text, const char* subject);
Result<void> CheckEdgeId(const std::string& text, const char* subject);
/// A reason for the record: at most 200 characters.
Result<void> CheckReason(const std::string& reason);
Result<void> CheckDisplayName(const std::string& text, const char* subject);

}  // namespace idzone::provisioning
