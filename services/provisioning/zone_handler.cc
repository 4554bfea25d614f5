// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_handler.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "idzone/v1/key_service.pb.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/page_token.h"
#include "services/provisioning/zone_absence.h"
#include "services/provisioning/zone_status.h"
#include "services/provisioning/zone_text.h"
#include "services/store/registry_keyset.h"
#include "services/store/registry_zone.h"
#include "services/store/registry_zone_status.h"

namespace idzone::provisioning {
namespace {

/// Large enough to cost few messages, small beside gRPC's limit of 4 MiB.
constexpr std::size_t kTextOctets = 128 * 1024;

Result<dns::Name> ReadName(const std::string& text) {
  if (text.empty()) return Fail(Reason::kValueMissing, "name", "a zone's name", "nothing");
  return dns::Name::Parse(text, "name");
}

/// Reads the zone's name and says whether the caller may see it.
Result<store::ZoneRecord> FindOwn(store::Database& database, const rpc::Caller& caller, const std::string& text) {
  const auto name = ReadName(text);
  if (!name) return tl::unexpected(name.error());
  auto record = store::FindZone(database, *name);
  if (!record) return tl::unexpected(WhyAbsent(database, caller, *name, record.error()));
  if (auto tenant = CheckTenant(caller, record->operator_id, "name"); !tenant) return tl::unexpected(tenant.error());
  return record;
}

void ToProto(UnixTime time, google::protobuf::Timestamp* proto) {
  proto->set_seconds(time.time_since_epoch().count());
}

void ToProto(const store::ZoneStatusRecord& status, v1::ZoneStatus* proto) {
  proto->set_name(status.zone);
  proto->set_namespace_name(status.namespace_name);
  proto->set_policy(status.policy.name);
  proto->set_epoch(status.epoch);
  proto->set_serial(status.serial);
  ToProto(status.last_signed_at, proto->mutable_last_sign_time());
  ToProto(status.first_expiry, proto->mutable_least_expire_time());
  proto->mutable_least_signature_life()->set_seconds((status.first_expiry - status.now).count());
  ToProto(status.renew_at, proto->mutable_renew_time());
  if (status.oldest_revocation) proto->mutable_revocation_queue_age()->set_seconds((status.now - *status.oldest_revocation).count());
  if (status.oldest_enrollment) proto->mutable_enrollment_queue_age()->set_seconds((status.now - *status.oldest_enrollment).count());
  if (status.quarantine_end) ToProto(*status.quarantine_end, proto->mutable_quarantine_end_time());
  for (const store::AlarmRecord& alarm : status.alarms) {
    auto* out = proto->add_alarms();
    out->set_reason(alarm.reason);
    out->set_detail(alarm.detail);
    ToProto(alarm.raised_at, out->mutable_raise_time());
    ToProto(alarm.reported_at, out->mutable_report_time());
  }
  for (const std::string& problem : ProblemsOf(status)) proto->add_problems(problem);
  proto->set_node_count(status.node_count);
  for (const store::SecondaryRecord& secondary : status.secondaries) {
    auto* out = proto->add_secondaries();
    out->set_secondary_id(secondary.secondary_id);
    out->set_edge_id(secondary.edge_id);
    out->set_epoch(secondary.epoch);
    out->set_serial(secondary.serial);
    ToProto(secondary.reported_at, out->mutable_report_time());
    out->mutable_notify_period()->set_seconds(secondary.notify_period.count());
  }
  if (const auto bound = SecondaryBoundOf(status)) proto->mutable_secondary_revocation_bound()->set_seconds(bound->count());
}

/// "ROLL_PHASE_PUBLISHING" gives "publishing".
std::string Spoken(const std::string& name, std::size_t prefix) {
  std::string text = name.substr(std::min(prefix, name.size()));
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// What happens next to the keys, in short: `idzone key status` says it at length.
void AddKeyEvent(const store::NamespaceKeys& keys, v1::ZoneStatus* proto) {
  if (!keys.keyset) return;
  if (keys.keyset->style == 0) {
    const auto& [keys_at, zsk_at] = std::tie(keys.keyset->keys_due_at, keys.keyset->zsk_due_at);
    if (!keys_at && !zsk_at) return;
    const bool of_zsk = zsk_at && (!keys_at || *zsk_at < *keys_at);
    proto->set_next_key_event(of_zsk ? "the policy has the ZSK rolled" : "the policy has the keys rolled that sign keys");
    ToProto(of_zsk ? *zsk_at : *keys_at, proto->mutable_next_key_event_time());
    return;
  }
  constexpr std::size_t kPhasePrefix = sizeof("ROLL_PHASE_") - 1;
  constexpr std::size_t kWaitPrefix = sizeof("ROLL_WAIT_") - 1;
  proto->set_next_key_event("a roll is " + Spoken(v1::RollPhase_Name(static_cast<v1::RollPhase>(keys.keyset->phase)), kPhasePrefix) +
                            ", and waits for " + Spoken(v1::RollWait_Name(static_cast<v1::RollWait>(keys.keyset->waits_for)), kWaitPrefix));
  if (keys.keyset->waits_until) ToProto(*keys.keyset->waits_until, proto->mutable_next_key_event_time());
}

}  // namespace

grpc::Status ZoneHandler::GetZoneStatus(grpc::ServerContext* context, const v1::GetZoneStatusRequest* request,
                                        v1::GetZoneStatusResponse* response) {
  return gate_.Serve(context, "/idzone.v1.ZoneService/GetZoneStatus", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->name());
    if (!name) return tl::unexpected(name.error());
    const auto status = store::FindZoneStatus(database_, *name);
    if (!status) return tl::unexpected(WhyAbsent(database_, caller, *name, status.error()));
    if (auto tenant = CheckTenant(caller, status->operator_id, "name"); !tenant) return tenant;
    ToProto(*status, response->mutable_status());
    const auto apex = dns::Name::Parse(status->namespace_name, "namespace");
    if (!apex) return tl::unexpected(apex.error());
    const auto keys = store::FindKeysOfZone(database_, *apex, *name);
    if (!keys) return tl::unexpected(keys.error());
    AddKeyEvent(*keys, response->mutable_status());
    return {};
  });
}

grpc::Status ZoneHandler::TrustClock(grpc::ServerContext* context, const v1::TrustClockRequest* request, v1::TrustClockResponse*) {
  return gate_.Serve(context, "/idzone.v1.ZoneService/TrustClock", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->name());
    if (!name) return tl::unexpected(name.error());
    if (auto reason = CheckReason(request->reason()); !reason) return reason;
    return store::TrustClock(database_, ActorOf(caller), *name, request->reason());
  });
}

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
