// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_handler.h"

#include <optional>

#include "services/provisioning/convert.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/page_token.h"
#include "services/provisioning/zone_text.h"
#include "services/store/registry_zone.h"

namespace idzone::provisioning {
namespace {

/// Large enough to cost few messages, small beside gRPC's limit of 4 MiB.
constexpr std::size_t kTextOctets = 128 * 1024;

/// Reads the zone's name and says whether the caller may see it.
Result<store::ZoneRecord> FindOwn(store::Database& database, const rpc::Caller& caller, const std::string& text) {
  if (text.empty()) return Fail(Reason::kValueMissing, "name", "a zone's name", "nothing");
  const auto name = dns::Name::Parse(text, "name");
  if (!name) return tl::unexpected(name.error());
  auto record = store::FindZone(database, *name);
  if (!record) return record;
  if (auto tenant = CheckTenant(caller, record->operator_id, "name"); !tenant) return tl::unexpected(tenant.error());
  return record;
}

}  // namespace

grpc::Status ZoneHandler::GetZone(grpc::ServerContext* context, const v1::GetZoneRequest* request, v1::GetZoneResponse* response) {
  return gate_.Serve(context, "/idzone.v1.ZoneService/GetZone", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto record = FindOwn(database_, caller, request->name());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_zone());
    return {};
  });
}

grpc::Status ZoneHandler::ListZones(grpc::ServerContext* context, const v1::ListZonesRequest* request, v1::ListZonesResponse* response) {
  return gate_.Serve(context, "/idzone.v1.ZoneService/ListZones", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const std::string operator_id = caller.role == rpc::Role::kAdmin ? "" : caller.operator_id;
    const ListName list{"ListZones", operator_id};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListZones(database_, operator_id, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::ZoneRecord& record : *records) ToProto(record, response->add_zones());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().name.Format()));
    return {};
  });
}

grpc::Status ZoneHandler::ExportZone(grpc::ServerContext* context, const v1::ExportZoneRequest* request,
                                     grpc::ServerWriter<v1::ExportZoneResponse>* writer) {
  return gate_.Serve(context, "/idzone.v1.ZoneService/ExportZone", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto record = FindOwn(database_, caller, request->name());
    if (!record) return tl::unexpected(record.error());
    return Export(*record, *writer);
  });
}

Result<void> ZoneHandler::Export(const store::ZoneRecord& record, grpc::ServerWriter<v1::ExportZoneResponse>& writer) {
  v1::ExportZoneResponse response;
  std::optional<ExportedZone> zone;
  const auto send = [&]() -> Result<void> {
    if (!writer.Write(response)) return Fail(Reason::kCancelled, "call", "", "a client that went away");
    response.clear_text();
    return {};
  };
  const auto read = store::ReadZone(database_, record.name, [&](OctetsView denial_key, const zone::Node& node) -> Result<void> {
    if (!zone) {
      const auto ttl = DenialTtl(node);
      if (!ttl) return tl::unexpected(ttl.error());
      zone = ExportedZone{record.name, record.denial, *ttl};
    }
    if (auto appended = AppendNode(*response.mutable_text(), *zone, denial_key, node); !appended) return appended;
    return response.text().size() < kTextOctets ? Result<void>() : send();
  });
  if (!read || response.text().empty()) return read;
  return send();
}

}  // namespace idzone::provisioning
