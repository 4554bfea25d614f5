// SPDX-License-Identifier: MIT
#include "services/provisioning/enrollment_workflow.h"

#include <chrono>
#include <future>

#include "services/core/identity/subject.h"
#include "services/core/records/profile.h"
#include "services/core/zone/layout.h"
#include "services/provisioning/convert.h"

namespace idzone::provisioning {
namespace {

/// Longer than any transaction may take with its retries and its wait for a connection.
constexpr std::chrono::seconds kOutcomeWait(30);

template <typename Outcome, typename Committer, typename Item>
Result<Outcome> SubmitAndWait(Committer& committer, Item item) {
  const auto promise = std::make_shared<std::promise<Result<Outcome>>>();
  auto outcome = promise->get_future();
  typename Committer::Done done = [promise](Result<Outcome> result) { promise->set_value(std::move(result)); };
  if (!committer.Submit(item, done)) return Fail(Reason::kUnavailable, "server", "room in the queue", "a full one: try again");
  if (outcome.wait_for(kOutcomeWait) != std::future_status::ready)
    return Fail(Reason::kUnavailable, "server", "an answer from the database", "none in time: the outcome is unknown");
  return outcome.get();
}

}  // namespace

Result<store::Enrollment> EnrollmentWorkflow::Prepare(const rpc::Caller& caller, const EnrollmentOrder& order) {
  auto home = namespaces_.Find(caller, order.namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  const auto id = identity::Subject::Parse(zone::FormOf(zone::KindOf((*home)->name), (*home)->layout, (*home)->labels), order.id);
  if (!id) return tl::unexpected(id.error());
  if (auto owner = zone::OwnerName((*home)->layout, (*home)->name, *id); !owner) return tl::unexpected(owner.error());
  const auto key = identity::KeyMaterial::Parse(order.kind, order.material);
  if (!key) return tl::unexpected(key.error());
  auto rdata = records::MakeTlsa((*home)->profile, *key);
  if (!rdata) return tl::unexpected(rdata.error());
  Octets identity_id = identity::MakeIdentityId((*home)->name.wire(), *id);
  return store::Enrollment{.home = std::move(*home),
                           .identity_id = std::move(identity_id),
                           .subject = id->text(),
                           .fingerprint = key->fingerprint(),
                           .rdata = std::move(*rdata),
                           .actor = ActorOf(caller)};
}

Result<dns::Name> EnrollmentWorkflow::ComputeOwnerName(const rpc::Caller& caller, const std::string& namespace_name,
                                                       const std::string& id) {
  const auto home = namespaces_.Find(caller, namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  const auto parsed = identity::Subject::Parse(zone::FormOf(zone::KindOf((*home)->name), (*home)->layout, (*home)->labels), id);
  if (!parsed) return tl::unexpected(parsed.error());
  return zone::OwnerName((*home)->layout, (*home)->name, *parsed);
}

Result<store::Enrolled> CommitOne(EnrollmentCommitter& committer, store::Enrollment item) {
  return SubmitAndWait<store::Enrolled>(committer, std::move(item));
}

Result<store::Revoked> CommitOne(RevocationCommitter& committer, store::Revocation item) {
  return SubmitAndWait<store::Revoked>(committer, std::move(item));
}

}  // namespace idzone::provisioning
