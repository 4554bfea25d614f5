// SPDX-License-Identifier: MIT
// NamespaceHandler's calls about zone cuts.
#include "services/provisioning/convert.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/namespace_handler.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_cut.h"
#include "services/store/registry_namespace.h"

namespace idzone::provisioning {
namespace {

void ToProto(const store::CutRecord& record, v1::Cut* proto) {
  proto->set_prefix(record.prefix);
  proto->set_zone(record.zone);
  proto->set_state(static_cast<v1::CutState>(record.state));
  proto->mutable_request_time()->set_seconds(record.requested_at.time_since_epoch().count());
  for (const std::string& edge : record.edges_behind) proto->add_edges_behind(edge);
}

Result<store::NamespaceRecord> FindHome(store::Database& database, const rpc::Caller& caller, const std::string& text) {
  if (text.empty()) return Fail(Reason::kValueMissing, "name", "a namespace's name", "nothing");
  const auto name = dns::Name::Parse(text, "name");
  if (!name) return tl::unexpected(name.error());
  auto home = store::FindNamespace(database, *name);
  if (!home) return home;
  if (auto tenant = CheckTenant(caller, home->operator_id, "name"); !tenant) return tl::unexpected(tenant.error());
  return home;
}

}  // namespace

grpc::Status NamespaceHandler::AddCut(grpc::ServerContext* context, const v1::AddCutRequest* request, v1::AddCutResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/AddCut", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto home = FindHome(database_, caller, request->name());
    if (!home) return tl::unexpected(home.error());
    if (home->layout.kind != zone::LayoutKind::kEnum)
      return Fail(Reason::kNamespaceKindMismatch, "name", "an enum namespace: the cuts of a tree are made with it", home->name.Format());
    const auto prefix = zone::ParseCutPrefix(home->layout, home->name, request->prefix());
    if (!prefix) return tl::unexpected(prefix.error());
    const auto cut = store::AddCut(database_, ActorOf(caller), *home, *prefix);
    if (!cut) return tl::unexpected(cut.error());
    ToProto(*cut, response->mutable_cut());
    return {};
  });
}

grpc::Status NamespaceHandler::ListCuts(grpc::ServerContext* context, const v1::ListCutsRequest* request, v1::ListCutsResponse* response) {
  return gate_.Serve(context, "/idzone.v1.NamespaceService/ListCuts", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto home = FindHome(database_, caller, request->name());
    if (!home) return tl::unexpected(home.error());
    const ListName list{"ListCuts", home->name.Format()};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto cuts = store::ListCuts(database_, home->namespace_id, *page);
    if (!cuts) return tl::unexpected(cuts.error());
    for (const store::CutRecord& cut : *cuts) ToProto(cut, response->add_cuts());
    if (cuts->size() == page->limit) response->set_next_page_token(MakePageToken(list, std::to_string(cuts->back().number)));
    return {};
  });
}

}  // namespace idzone::provisioning
