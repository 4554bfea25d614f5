// SPDX-License-Identifier: MIT
#include "services/provisioning/enrollment_workflow.h"

#include <chrono>
#include <future>

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

/// Returns the hash that the first label of a name right below the apex spells, if it can be an NSEC3 label (RFC 5155 §3).
Octets DenialHashOf(const store::NamespaceRecord& home, const dns::Name& owner) {
  if (home.denial != dns::DenialKind::kNsec3 || owner.label_count() != home.name.label_count() + 1) return {};
  auto hash = Base32HexDecode(owner.FirstLabel());
  return hash && hash->size() == dns::kNsec3HashOctets ? *hash : Octets();
}

Result<store::Enrollment> ItemOf(NamespaceDirectory::Home home, const EnrollmentOrder& order, const rpc::Caller& caller) {
  auto record = zone::MakeIdentityRecord(zone::KindOf(home->name), home->profile, order.kind, order.material);
  if (!record) return tl::unexpected(record.error());
  return store::Enrollment{.home = std::move(home),
                           .identity_id = {},
                           .subject = {},
                           .fingerprint = std::move(record->fingerprint),
                           .type = record->type,
                           .rdata = std::move(record->rdata),
                           .actor = ActorOf(caller)};
}

}  // namespace

Result<store::Enrollment> EnrollmentWorkflow::Prepare(const rpc::Caller& caller, const EnrollmentOrder& order) {
  auto home = namespaces_.Find(caller, order.namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  auto place = naming_.Find(**home, order.id, order.label_privacy);
  if (!place) return tl::unexpected(place.error());
  auto item = ItemOf(*home, order, caller);
  if (!item) return item;
  item->identity_id = std::move(place->identity_id);
  item->subject = place->subject.text();
  item->denial_hash = DenialHashOf(**home, place->owner);
  item->label = std::move(place->label);
  return item;
}

Result<store::Enrollment> EnrollmentWorkflow::PrepareKey(const rpc::Caller& caller, const EnrollmentOrder& order) {
  auto home = namespaces_.Find(caller, order.namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  const auto subject = Naming::ReadSubject(**home, order.id);
  if (!subject) return tl::unexpected(subject.error());
  auto item = ItemOf(*home, order, caller);
  if (!item) return item;
  item->identity_id = Naming::IdentityIdOf(**home, *subject);
  item->subject = subject->text();
  return item;
}

Result<dns::Name> EnrollmentWorkflow::ComputeOwnerName(const rpc::Caller& caller, const std::string& namespace_name, const std::string& id,
                                                       std::optional<zone::LabelPrivacy> label_privacy) {
  const auto home = namespaces_.Find(caller, namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  auto place = naming_.Find(**home, id, label_privacy);
  if (!place) return tl::unexpected(place.error());
  return std::move(place->owner);
}

Result<store::Enrolled> CommitOne(EnrollmentCommitter& committer, store::Enrollment item) {
  return SubmitAndWait<store::Enrolled>(committer, std::move(item));
}

Result<store::Revoked> CommitOne(RevocationCommitter& committer, store::Revocation item) {
  return SubmitAndWait<store::Revoked>(committer, std::move(item));
}

}  // namespace idzone::provisioning
