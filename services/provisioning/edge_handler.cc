// SPDX-License-Identifier: MIT
#include "services/provisioning/edge_handler.h"

#include "services/core/identity/key_material.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_edge.h"

namespace idzone::provisioning {

grpc::Status EdgeHandler::RegisterEdge(grpc::ServerContext* context, const v1::RegisterEdgeRequest* request,
                                       v1::RegisterEdgeResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EdgeService/RegisterEdge", *request, [&](const rpc::Caller& caller) -> Result<void> {
    if (auto checked = CheckEdgeId(request->id(), "id"); !checked) return checked;
    const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kCertificate, request->certificate());
    if (!key) return tl::unexpected(key.error());
    const auto record = store::RegisterEdge(database_, ActorOf(caller), request->id(), key->fingerprint());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_edge());
    return {};
  });
}

grpc::Status EdgeHandler::RemoveEdge(grpc::ServerContext* context, const v1::RemoveEdgeRequest* request, v1::RemoveEdgeResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EdgeService/RemoveEdge", *request, [&](const rpc::Caller& caller) -> Result<void> {
    if (auto checked = CheckEdgeId(request->id(), "id"); !checked) return checked;
    const auto record = store::RemoveEdge(database_, ActorOf(caller), request->id());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_edge());
    return {};
  });
}

grpc::Status EdgeHandler::GetEdge(grpc::ServerContext* context, const v1::GetEdgeRequest* request, v1::GetEdgeResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EdgeService/GetEdge", *request, [&](const rpc::Caller&) -> Result<void> {
    if (auto checked = CheckEdgeId(request->id(), "id"); !checked) return checked;
    const auto record = store::FindEdge(database_, request->id());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_edge());
    return {};
  });
}

grpc::Status EdgeHandler::ListEdges(grpc::ServerContext* context, const v1::ListEdgesRequest* request, v1::ListEdgesResponse* response) {
  return gate_.Serve(context, "/idzone.v1.EdgeService/ListEdges", *request, [&](const rpc::Caller&) -> Result<void> {
    const ListName list{"ListEdges", ""};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListEdges(database_, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::EdgeRecord& record : *records) ToProto(record, response->add_edges());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().edge_id));
    return {};
  });
}

}  // namespace idzone::provisioning
