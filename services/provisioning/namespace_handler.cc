// SPDX-License-Identifier: MIT
#include "services/provisioning/namespace_handler.h"

#include "services/core/identity/authority.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_authority.h"
#include "services/store/registry_namespace.h"

namespace idzone::provisioning {
namespace {

Result<dns::Name> ReadName(const std::string& text) {
  if (text.empty()) return Fail(Reason::kValueMissing, "name", "a namespace's name", "nothing");
  return dns::Name::Parse(text, "name");
}

}  // namespace

grpc::Status NamespaceHandler::CreateNamespace(grpc::ServerContext* context, const v1::CreateNamespaceRequest* request,
                                               v1::CreateNamespaceResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/CreateNamespace", *request, [&](const rpc::Caller& caller) -> Result<void> {
    if (!request->has_namespace_resource()) return Fail(Reason::kValueMissing, "namespace_resource", "the namespace to create", "nothing");
    auto wanted = NamespaceFromProto(request->namespace_resource(), request->expected_identities(), caller.operator_id);
    if (!wanted) return tl::unexpected(wanted.error());
    if (wanted->labels != zone::LabelPrivacy::kClear) {
      auto sealed = naming_.MakeSealedSecret(wanted->name);
      if (!sealed) return tl::unexpected(sealed.error());
      wanted->sealed_secret = std::move(*sealed);
    }
    const auto record = store::CreateNamespace(database_, ActorOf(caller), *wanted);
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_namespace_resource());
    return {};
  });
}

grpc::Status NamespaceHandler::GetNamespace(grpc::ServerContext* context, const v1::GetNamespaceRequest* request,
                                            v1::GetNamespaceResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/GetNamespace", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->name());
    if (!name) return tl::unexpected(name.error());
    const auto record = store::FindNamespace(database_, *name);
    if (!record) return tl::unexpected(record.error());
    if (auto tenant = CheckTenant(caller, record->operator_id, "name"); !tenant) return tenant;
    ToProto(*record, response->mutable_namespace_resource());
    return {};
  });
}

grpc::Status NamespaceHandler::ListNamespaces(grpc::ServerContext* context, const v1::ListNamespacesRequest* request,
                                              v1::ListNamespacesResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/ListNamespaces", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const std::string operator_id = caller.role == rpc::Role::kAdmin ? "" : caller.operator_id;
    const ListName list{"ListNamespaces", operator_id};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListNamespaces(database_, operator_id, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::NamespaceRecord& record : *records) ToProto(record, response->add_namespaces());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().name.Format()));
    return {};
  });
}

grpc::Status NamespaceHandler::SetAuthority(grpc::ServerContext* context, const v1::SetAuthorityRequest* request,
                                            v1::SetAuthorityResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/SetAuthority", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->name());
    if (!name) return tl::unexpected(name.error());
    const auto home = store::FindNamespace(database_, *name);
    if (!home) return tl::unexpected(home.error());
    if (!home->wildcard_ca && zone::KindOf(home->name) != zone::NamespaceKind::kUser)
      return Fail(Reason::kNamespaceKindMismatch, "name", "a _user namespace, or one made with wildcard_ca", home->name.Format());
    const auto authority = identity::ParseAuthority(request->certificate());
    if (!authority) return tl::unexpected(authority.error());
    auto rdata = records::MakeAuthorityTlsa(request->full_certificate(), *authority);
    if (!rdata) return tl::unexpected(rdata.error());
    const auto record = store::SetAuthority(database_, ActorOf(caller), {*name, authority->fingerprint(), std::move(*rdata)});
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_namespace_resource());
    return {};
  });
}

grpc::Status NamespaceHandler::RemoveAuthority(grpc::ServerContext* context, const v1::RemoveAuthorityRequest* request,
                                               v1::RemoveAuthorityResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/RemoveAuthority", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->name());
    if (!name) return tl::unexpected(name.error());
    const auto removal = store::RemoveAuthority(database_, ActorOf(caller), *name);
    if (!removal) return tl::unexpected(removal.error());
    ToProto(removal->home, response->mutable_namespace_resource());
    response->set_change(removal->change);
    return {};
  });
}

}  // namespace idzone::provisioning
