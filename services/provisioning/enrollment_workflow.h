// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/identity/key_material.h"
#include "services/provisioning/group_committer.h"
#include "services/provisioning/namespace_directory.h"
#include "services/rpc/caller.h"
#include "services/store/registry_enrollment.h"

/// What enrolling and revoking mean, without protobuf: request → validated item → batch → outcome.
namespace idzone::provisioning {

using EnrollmentCommitter = GroupCommitter<store::Enrollment, store::Enrolled>;
using RevocationCommitter = GroupCommitter<store::Revocation, store::Revoked>;

/// What a caller asks to enroll, not yet believed.
struct EnrollmentOrder {
  const std::string& namespace_name;
  const std::string& id;
  identity::MaterialKind kind;
  OctetsView material;
};

class EnrollmentWorkflow {
 public:
  /// All must outlive the workflow.
  EnrollmentWorkflow(NamespaceDirectory& namespaces, EnrollmentCommitter& committer) : namespaces_(namespaces), committer_(committer) {}

  /// Checks everything that can be checked without the registry's identities, and makes the record.
  Result<store::Enrollment> Prepare(const rpc::Caller& caller, const EnrollmentOrder& order);

  /// Returns the owner name that a device will have.
  Result<dns::Name> ComputeOwnerName(const rpc::Caller& caller, const std::string& namespace_name, const std::string& id);

  EnrollmentCommitter& committer() { return committer_; }

 private:
  NamespaceDirectory& namespaces_;
  EnrollmentCommitter& committer_;
};

/// Submits one item and waits for its outcome: UNAVAILABLE when the queue is full, or when the outcome did not come in
/// time; it is unknown then, and asking again is safe.
Result<store::Enrolled> CommitOne(EnrollmentCommitter& committer, store::Enrollment item);
Result<store::Revoked> CommitOne(RevocationCommitter& committer, store::Revocation item);

}  // namespace idzone::provisioning
