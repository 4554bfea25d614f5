// SPDX-License-Identifier: MIT
#include "services/provisioning/identity_handler.h"

#include "services/provisioning/change_wait.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/enrollment_order.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_identity.h"

namespace idzone::provisioning {
namespace {

constexpr int kChangesMax = 1000;
constexpr std::chrono::milliseconds kWaitMax(60'000);

constexpr std::size_t kFingerprintOctets = 32;

/// An identity in a namespace that the caller may work in.
struct Target {
  NamespaceDirectory::Home home;
  std::string subject;
  Octets identity_id;
};

Result<Target> FindTarget(NamespaceDirectory& namespaces, const rpc::Caller& caller, const std::string& namespace_name,
                          const std::string& id) {
  auto home = namespaces.Find(caller, namespace_name, "namespace_name");
  if (!home) return tl::unexpected(home.error());
  const auto subject = Naming::ReadSubject(**home, id);
  if (!subject) return tl::unexpected(subject.error());
  return Target{*home, subject->text(), Naming::IdentityIdOf(**home, *subject)};
}

Result<store::IdentityFilter> FilterFromProto(v1::IdentityState state) {
  switch (state) {
    case v1::IDENTITY_STATE_UNSPECIFIED: return store::IdentityFilter::kAll;
    case v1::IDENTITY_STATE_ACTIVE: return store::IdentityFilter::kActive;
    case v1::IDENTITY_STATE_REVOKED: return store::IdentityFilter::kRevoked;
    default: return Fail(Reason::kEnumUnknown, "state", "active, revoked or unspecified", std::to_string(state));
  }
}

Result<ChangeQuestion> QuestionFromProto(const v1::WaitForChangeRequest& request) {
  if (request.changes_size() > kChangesMax)
    return Fail(Reason::kLimitExceeded, "changes", "at most 1000", std::to_string(request.changes_size()));
  ChangeQuestion question{.changes = {request.changes().begin(), request.changes().end()}, .live_at_edges = request.live_at_edges()};
  for (const std::uint64_t change : question.changes) {
    if (change == 0 || change > static_cast<std::uint64_t>(INT64_MAX))
      return Fail(Reason::kValueOutOfRange, "changes", "values of Identity.change", std::to_string(change));
  }
  const auto seconds = request.timeout().seconds();
  const auto nanos = request.timeout().nanos();
  if (seconds < 0 || nanos < 0 || nanos > 999'999'999 || seconds > kWaitMax.count() / 1000)
    return Fail(Reason::kValueOutOfRange, "timeout", "0 to 60 s", std::to_string(seconds) + " s");
  question.timeout = std::min(kWaitMax, std::chrono::milliseconds(seconds * 1000 + nanos / 1'000'000));
  return question;
}

void AnswerToProto(const ChangeAnswer& answer, v1::WaitForChangeResponse* response) {
  for (const store::ChangeState& change : answer.report.changes) {
    auto* out = response->add_changes();
    out->set_change(change.change);
    if (change.version) ToProto(*change.version, out->mutable_version());
    // Its own version was pruned: it is in every version since, so in the zone's.
    else if (change.published && answer.report.zone)
      ToProto(*answer.report.zone, out->mutable_version());
  }
  response->set_done(answer.done);
  if (answer.report.zone) ToProto(*answer.report.zone, response->mutable_zone_version());
  for (const std::string& edge : answer.edges_behind) response->add_edges_behind(edge);
}

}  // namespace

grpc::Status IdentityHandler::GetIdentity(grpc::ServerContext* context, const v1::GetIdentityRequest* request,
                                          v1::GetIdentityResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/GetIdentity", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto target = FindTarget(namespaces_, caller, request->namespace_name(), request->id());
    if (!target) return tl::unexpected(target.error());
    const auto record = store::FindIdentity(database_, target->identity_id, target->subject);
    if (!record) return tl::unexpected(record.error());
    ToProto(*target->home, *record, response->mutable_identity());
    return {};
  });
}

grpc::Status IdentityHandler::ListIdentities(grpc::ServerContext* context, const v1::ListIdentitiesRequest* request,
                                             v1::ListIdentitiesResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/ListIdentities", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto home = namespaces_.Find(caller, request->namespace_name(), "namespace_name");
    if (!home) return tl::unexpected(home.error());
    const auto filter = FilterFromProto(request->state());
    if (!filter) return tl::unexpected(filter.error());
    const ListName list{"ListIdentities", (*home)->name.Format() + "|" + std::to_string(request->state())};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListIdentities(database_, (*home)->namespace_id, *filter, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::IdentityRecord& record : *records) ToProto(**home, record, response->add_identities());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().subject));
    return {};
  });
}

grpc::Status IdentityHandler::RevokeIdentity(grpc::ServerContext* context, const v1::RevokeIdentityRequest* request,
                                             v1::RevokeIdentityResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/RevokeIdentity", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto target = FindTarget(namespaces_, caller, request->namespace_name(), request->id());
    if (!target) return tl::unexpected(target.error());
    if (auto reason = CheckReason(request->reason()); !reason) return reason;
    const auto revoked = CommitOne(committer_, store::Revocation{.home = target->home,
                                                                 .identity_id = target->identity_id,
                                                                 .subject = target->subject,
                                                                 .reason = request->reason(),
                                                                 .actor = ActorOf(caller)});
    if (!revoked) return tl::unexpected(revoked.error());
    ToProto(*target->home, revoked->identity, response->mutable_identity());
    response->set_already_revoked(revoked->already);
    return {};
  });
}

grpc::Status IdentityHandler::AddKey(grpc::ServerContext* context, const v1::AddKeyRequest* request, v1::AddKeyResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/AddKey", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto order = OrderFromProto(*request);
    if (!order) return tl::unexpected(order.error());
    const auto item = workflow_.PrepareKey(caller, *order);
    if (!item) return tl::unexpected(item.error());
    const auto added = store::AddKey(database_, *item);
    if (!added) return tl::unexpected(added.error());
    ToProto(*item->home, added->identity, response->mutable_identity());
    response->set_already_added(added->already);
    return {};
  });
}

grpc::Status IdentityHandler::RetireKey(grpc::ServerContext* context, const v1::RetireKeyRequest* request,
                                        v1::RetireKeyResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/RetireKey", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto target = FindTarget(namespaces_, caller, request->namespace_name(), request->id());
    if (!target) return tl::unexpected(target.error());
    if (request->fingerprint().size() != kFingerprintOctets)
      return Fail(Reason::kValueMalformed, "fingerprint", "32 octets", std::to_string(request->fingerprint().size()));
    if (auto reason = CheckReason(request->reason()); !reason) return reason;
    const auto retired = store::RetireKey(database_, store::Retirement{.home = target->home,
                                                                       .identity_id = target->identity_id,
                                                                       .subject = target->subject,
                                                                       .fingerprint = request->fingerprint(),
                                                                       .reason = request->reason(),
                                                                       .actor = ActorOf(caller)});
    if (!retired) return tl::unexpected(retired.error());
    ToProto(*target->home, retired->identity, response->mutable_identity());
    response->set_already_retired(retired->already);
    return {};
  });
}

grpc::Status IdentityHandler::WaitForChange(grpc::ServerContext* context, const v1::WaitForChangeRequest* request,
                                            v1::WaitForChangeResponse* response) {
  return gate_.Serve(context, "/idzone.v1.IdentityService/WaitForChange", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto home = namespaces_.Find(caller, request->namespace_name(), "namespace_name");
    if (!home) return tl::unexpected(home.error());
    const auto question = QuestionFromProto(*request);
    if (!question) return tl::unexpected(question.error());
    const auto answer = WaitForChanges(database_, **home, *question, [&] { return draining_ || context->IsCancelled(); });
    if (!answer) return tl::unexpected(answer.error());
    AnswerToProto(*answer, response);
    return {};
  });
}

}  // namespace idzone::provisioning
