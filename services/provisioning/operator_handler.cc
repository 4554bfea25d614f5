// SPDX-License-Identifier: MIT
#include "services/provisioning/operator_handler.h"

#include "services/core/identity/key_material.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_operator.h"

namespace idzone::provisioning {
namespace {

constexpr std::size_t kFingerprintOctets = 32;

Result<store::NewPrincipal> PrincipalFromProto(const v1::CreatePrincipalRequest& request) {
  if (auto checked = CheckOperatorId(request.operator_id(), "operator_id"); !checked) return tl::unexpected(checked.error());
  if (auto checked = CheckDisplayName(request.display_name(), "display_name"); !checked) return tl::unexpected(checked.error());
  if (request.role() == v1::ROLE_UNSPECIFIED)
    return Fail(Reason::kEnumUnknown, "role", "admin, enroller, auditor or re-enroller", "unspecified");
  const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kCertificate, request.certificate());
  if (!key) return tl::unexpected(key.error());
  return store::NewPrincipal{key->fingerprint(), request.operator_id(), request.display_name(), static_cast<int>(request.role())};
}

}  // namespace

grpc::Status OperatorHandler::CreateOperator(grpc::ServerContext* context, const v1::CreateOperatorRequest* request,
                                             v1::CreateOperatorResponse* response) {
  return gate_.Serve(context, "/idzone.v1.OperatorService/CreateOperator", *request, [&](const rpc::Caller& caller) -> Result<void> {
    if (auto checked = CheckOperatorId(request->id(), "id"); !checked) return checked;
    if (auto checked = CheckDisplayName(request->display_name(), "display_name"); !checked) return checked;
    const auto record = store::CreateOperator(database_, ActorOf(caller), request->id(), request->display_name());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_operator_resource());
    return {};
  });
}

grpc::Status OperatorHandler::ListOperators(grpc::ServerContext* context, const v1::ListOperatorsRequest* request,
                                            v1::ListOperatorsResponse* response) {
  return gate_.Serve(context, "/idzone.v1.OperatorService/ListOperators", *request, [&](const rpc::Caller&) -> Result<void> {
    const ListName list{"ListOperators", ""};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListOperators(database_, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::OperatorRecord& record : *records) ToProto(record, response->add_operators());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().operator_id));
    return {};
  });
}

grpc::Status OperatorHandler::CreatePrincipal(grpc::ServerContext* context, const v1::CreatePrincipalRequest* request,
                                              v1::CreatePrincipalResponse* response) {
  return gate_.Serve(context, "/idzone.v1.OperatorService/CreatePrincipal", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto wanted = PrincipalFromProto(*request);
    if (!wanted) return tl::unexpected(wanted.error());
    const auto record = store::CreatePrincipal(database_, ActorOf(caller), *wanted);
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_principal());
    return {};
  });
}

grpc::Status OperatorHandler::ListPrincipals(grpc::ServerContext* context, const v1::ListPrincipalsRequest* request,
                                             v1::ListPrincipalsResponse* response) {
  return gate_.Serve(context, "/idzone.v1.OperatorService/ListPrincipals", *request, [&](const rpc::Caller&) -> Result<void> {
    const ListName list{"ListPrincipals", ""};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListPrincipals(database_, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::PrincipalRecord& record : *records) ToProto(record, response->add_principals());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().fingerprint));
    return {};
  });
}

grpc::Status OperatorHandler::DisablePrincipal(grpc::ServerContext* context, const v1::DisablePrincipalRequest* request,
                                               v1::DisablePrincipalResponse* response) {
  return gate_.Serve(context, "/idzone.v1.OperatorService/DisablePrincipal", *request, [&](const rpc::Caller& caller) -> Result<void> {
    if (request->fingerprint().size() != kFingerprintOctets)
      return Fail(Reason::kValueMalformed, "fingerprint", "32 octets", std::to_string(request->fingerprint().size()));
    const auto record = store::DisablePrincipal(database_, ActorOf(caller), request->fingerprint());
    if (!record) return tl::unexpected(record.error());
    principals_.Forget(request->fingerprint());
    ToProto(*record, response->mutable_principal());
    return {};
  });
}

}  // namespace idzone::provisioning
