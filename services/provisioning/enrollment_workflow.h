// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/zone/identity_record.h"
#include "services/provisioning/group_committer.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/naming.h"
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
  zone::OfferedKind kind;
  OctetsView material;
  std::optional<zone::LabelPrivacy> label_privacy{};  // unset: what the namespace does
};

class EnrollmentWorkflow {
 public:
  /// All must outlive the workflow.
  EnrollmentWorkflow(NamespaceDirectory& namespaces, Naming& naming, EnrollmentCommitter& committer)
      : namespaces_(namespaces), naming_(naming), committer_(committer) {}

  /// Checks everything that can be checked without the registry's identities, and makes the record.
  Result<store::Enrollment> Prepare(const rpc::Caller& caller, const EnrollmentOrder& order);

  /// The same for a key that an identity is to have beside those that it has, or in its next life.
  Result<store::Enrollment> PrepareKey(const rpc::Caller& caller, const EnrollmentOrder& order);

  /// Returns the owner name that an identity will have.
  Result<dns::Name> ComputeOwnerName(const rpc::Caller& caller, const std::string& namespace_name, const std::string& id,
                                     std::optional<zone::LabelPrivacy> label_privacy);

  EnrollmentCommitter& committer() { return committer_; }

 private:
  NamespaceDirectory& namespaces_;
  Naming& naming_;
  EnrollmentCommitter& committer_;
};

/// Submits one item and waits for its outcome: UNAVAILABLE when the queue is full, or when the outcome did not come in
/// time; it is unknown then, and asking again is safe.
Result<store::Enrolled> CommitOne(EnrollmentCommitter& committer, store::Enrollment item);
Result<store::Revoked> CommitOne(RevocationCommitter& committer, store::Revocation item);

}  // namespace idzone::provisioning
