// SPDX-License-Identifier: MIT
#include "services/provisioning/key_handler.h"

#include "services/core/dns/dnskey.h"
#include "services/core/dns/presentation.h"
#include "services/provisioning/convert.h"
#include "services/provisioning/namespace_directory.h"
#include "services/provisioning/page_token.h"
#include "services/provisioning/zone_absence.h"
#include "services/store/registry_keyset.h"

namespace idzone::provisioning {
namespace {

/// What the lines for the parent carry, as in `zone ds`.
constexpr dns::Ttl kParentTtl = 3600;

Result<dns::Name> ReadName(const std::string& text) {
  if (text.empty()) return Fail(Reason::kValueMissing, "namespace_name", "a namespace's name", "nothing");
  return dns::Name::Parse(text, "namespace_name");
}

void ToProto(UnixTime time, google::protobuf::Timestamp* proto) {
  proto->set_seconds(time.time_since_epoch().count());
}

std::string DsLine(const store::SigningKeyRecord& key) {
  return dns::FormatRecord(key.zone, kParentTtl, dns::RrType::kDs, dns::EncodeDs(key.zone, key.dnskey));
}

void ToProto(const store::SigningKeyRecord& key, v1::SigningKey* proto) {
  proto->set_zone_name(key.zone.Format());
  proto->set_key_id(key.key_id);
  proto->set_key_tag(key.key_tag);
  proto->set_algorithm(key.algorithm);
  proto->set_role(static_cast<v1::KeyRole>(key.role));
  proto->set_state(static_cast<v1::SigningKeyState>(key.state));
  proto->set_in_dnskey(key.uses.in_dnskey);
  proto->set_signs_keys(key.uses.signs_keys);
  proto->set_signs_data(key.uses.signs_data);
  proto->set_in_ds(key.uses.in_ds);
  ToProto(key.created_at, proto->mutable_create_time());
  ToProto(key.state_at, proto->mutable_state_time());
  proto->set_dnskey_record(dns::FormatRecord(key.zone, kParentTtl, dns::RrType::kDnskey, key.dnskey));
  if (zone::SignsKeys(key.role)) proto->set_ds_record(DsLine(key));
}

std::string ParentAdvice(const store::KeysetRecord& keyset, const std::string& name) {
  return "Have the parent publish exactly these DS records (CDS and CDNSKEY of the zone say the same); " +
         (keyset.parent_asked_at ? "the signer sees it." : "when all its servers do: idzone key roll " + name + " --parent-has-ds.");
}

/// Who holds the roll up, if anybody.
std::string EdgesBehind(const store::KeysetRecord& keyset) {
  return keyset.edges_behind.empty() ? "" : " Behind: " + keyset.edges_behind + ".";
}

/// What to do, or to wait for.
std::string AdviceOf(const store::KeysetRecord& keyset, const std::string& name) {
  if (keyset.style == 0) return "Nothing to do.";
  switch (static_cast<v1::RollWait>(keyset.waits_for)) {
    case v1::ROLL_WAIT_KEYS: return "The signer cannot make the new keys: see the refusal.";
    case v1::ROLL_WAIT_ZONES: return "Wait: zones publish the change, and edges and secondaries take it." + EdgesBehind(keyset);
    case v1::ROLL_WAIT_SIGNING:
      return (keyset.awaits_parent ? ParentAdvice(keyset, name) + " Meanwhile data" : "Wait: data") +
             " is being signed with the new keys." + EdgesBehind(keyset);
    case v1::ROLL_WAIT_PARENT: return ParentAdvice(keyset, name);
    case v1::ROLL_WAIT_CACHES: return "Wait: caches still hold what was before.";
    default: return "Wait: the next step is due.";
  }
}

void ToProto(const store::NamespaceKeys& found, v1::KeyStatus* proto) {
  const std::string name = found.home.name.Format();
  proto->set_namespace_name(name);
  proto->set_zone_name(found.zone.Format());
  proto->set_zones_with_keys(static_cast<std::uint32_t>(found.zones_with_keys));
  proto->set_zones_rolling(static_cast<std::uint32_t>(found.zones_rolling));
  for (const store::SigningKeyRecord& key : found.keys) {
    if (key.uses.in_ds) proto->add_parent_records(DsLine(key));
  }
  if (!found.keyset) {
    proto->set_advice("Wait until the signer has made the zone and its key.");
    return;
  }
  const store::KeysetRecord& keyset = *found.keyset;
  proto->set_advice(AdviceOf(keyset, name) + (keyset.emergency_follows ? " An emergency roll follows." : ""));
  proto->set_parent_answer(keyset.parent_answer);
  if (keyset.parent_asked_at) ToProto(*keyset.parent_asked_at, proto->mutable_parent_ask_time());
  if (keyset.keys_due_at) ToProto(*keyset.keys_due_at, proto->mutable_keys_due_time());
  if (keyset.zsk_due_at) ToProto(*keyset.zsk_due_at, proto->mutable_zsk_due_time());
  proto->set_refusal(keyset.refused);
  proto->set_waiting_commands(static_cast<std::uint32_t>(keyset.waiting_commands));
  if (keyset.style == 0) return;
  v1::KeyRoll* roll = proto->mutable_roll();
  roll->set_style(static_cast<v1::RollStyle>(keyset.style));
  roll->set_phase(static_cast<v1::RollPhase>(keyset.phase));
  roll->set_emergency(keyset.urgent);
  roll->set_emergency_follows(keyset.emergency_follows);
  roll->set_algorithm(static_cast<std::uint32_t>(keyset.algorithm));
  if (keyset.began_at) ToProto(*keyset.began_at, roll->mutable_begin_time());
  if (keyset.phase_at) ToProto(*keyset.phase_at, roll->mutable_phase_begin_time());
  roll->set_wait(static_cast<v1::RollWait>(keyset.waits_for));
  if (keyset.waits_until) ToProto(*keyset.waits_until, roll->mutable_wait_end_time());
}

/// Any request that names a namespace, and perhaps one of its zones.
template <typename Request>
Result<store::KeysetName> ReadKeysetName(const Request& request) {
  auto home = ReadName(request.namespace_name());
  if (!home) return tl::unexpected(home.error());
  store::KeysetName name{*std::move(home)};
  if (request.zone_name().empty()) return name;
  auto zone = dns::Name::Parse(request.zone_name(), "zone_name");
  if (!zone) return tl::unexpected(zone.error());
  name.zone = *std::move(zone);
  return name;
}

/// The keys themselves are known to the signer alone, which may still refuse: GetKeyStatus then says why.
Result<store::RollOrder> ReadOrder(const v1::RollKeyRequest& request) {
  store::RollOrder order;
  if (request.style() != v1::ROLL_STYLE_UNSPECIFIED) order.style = request.style();
  if (!v1::RollStyle_IsValid(request.style()))
    return Fail(Reason::kEnumUnknown, "style", "a RollStyle that this release knows", std::to_string(request.style()));
  const bool new_algorithm = order.style == v1::ROLL_STYLE_ALGORITHM;
  if (new_algorithm ? request.algorithm() != 13 && request.algorithm() != 15 : request.algorithm() != 0)
    return Fail(Reason::kValueOutOfRange, "algorithm", new_algorithm ? "13 or 15" : "none, unless the style is ROLL_STYLE_ALGORITHM",
                std::to_string(request.algorithm()));
  order.algorithm = static_cast<int>(request.algorithm());
  for (const int role : request.roles()) {
    if (role == v1::KEY_ROLE_UNSPECIFIED || !v1::KeyRole_IsValid(role))
      return Fail(Reason::kEnumUnknown, "roles", "a KeyRole that this release knows", std::to_string(role));
    order.roles.push_back(static_cast<zone::KeyRole>(role));
  }
  using enum zone::KeyRole;
  const bool whole = order.roles.empty() || order.roles == std::vector{kCsk} || order.roles == std::vector{kKsk, kZsk};
  const bool chooses = order.style == v1::ROLL_STYLE_ALL_KEYS || new_algorithm;
  if (!whole || (!chooses && !order.roles.empty()))
    return Fail(Reason::kValueOutOfRange, "roles", chooses ? "a CSK, or a KSK and a ZSK" : "none with this style", "others");
  order.urgent = request.emergency();
  if (order.urgent && order.style != v1::ROLL_STYLE_ALL_KEYS)
    return Fail(Reason::kValueOutOfRange, "style", "ROLL_STYLE_ALL_KEYS in an emergency", v1::RollStyle_Name(request.style()));
  return order;
}

}  // namespace

grpc::Status KeyHandler::ListKeys(grpc::ServerContext* context, const v1::ListKeysRequest* request, v1::ListKeysResponse* response) {
  return gate_.Serve(context, "/idzone.v1.KeyService/ListKeys", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadKeysetName(*request);
    if (!name) return tl::unexpected(name.error());
    const ListName list{"ListKeys", name->home.Format() + "|" + (name->zone ? name->zone->Format() : "")};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto found = store::ListKeys(database_, *name, *page);
    if (!found) return tl::unexpected(found.error());
    if (auto tenant = CheckTenant(caller, found->home.operator_id, "namespace_name"); !tenant) return tenant;
    for (const store::SigningKeyRecord& key : found->keys) {
      if (key.state != zone::KeyState::kRemoved || request->include_removed()) ToProto(key, response->add_keys());
    }
    if (!found->next.empty()) response->set_next_page_token(MakePageToken(list, found->next));
    return {};
  });
}

grpc::Status KeyHandler::GetKeyStatus(grpc::ServerContext* context, const v1::GetKeyStatusRequest* request,
                                      v1::GetKeyStatusResponse* response) {
  return gate_.Serve(context, "/idzone.v1.KeyService/GetKeyStatus", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadKeysetName(*request);
    if (!name) return tl::unexpected(name.error());
    const auto found = store::FindNamespaceKeys(database_, *name);
    if (!found) return tl::unexpected(found.error());
    if (auto tenant = CheckTenant(caller, found->home.operator_id, "namespace_name"); !tenant) return tenant;
    ToProto(*found, response->mutable_status());
    if (found->keyset) return {};
    if (const std::string trouble = SignersTrouble(database_, found->home.namespace_id); !trouble.empty())
      response->mutable_status()->set_advice("The signer cannot make the zone and its key: " + trouble);
    return {};
  });
}

grpc::Status KeyHandler::RollKey(grpc::ServerContext* context, const v1::RollKeyRequest* request, v1::RollKeyResponse* response) {
  return gate_.Serve(context, "/idzone.v1.KeyService/RollKey", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadKeysetName(*request);
    if (!name) return tl::unexpected(name.error());
    const auto order = ReadOrder(*request);
    if (!order) return tl::unexpected(order.error());
    const auto found = store::OrderRoll(database_, ActorOf(caller), *name, *order);
    if (!found) return tl::unexpected(found.error());
    ToProto(*found, response->mutable_status());
    return {};
  });
}

grpc::Status KeyHandler::ConfirmParent(grpc::ServerContext* context, const v1::ConfirmParentRequest* request,
                                       v1::ConfirmParentResponse* response) {
  return gate_.Serve(context, "/idzone.v1.KeyService/ConfirmParent", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto name = ReadName(request->namespace_name());
    if (!name) return tl::unexpected(name.error());
    const auto found = store::OrderParentConfirmed(database_, ActorOf(caller), *name);
    if (!found) return tl::unexpected(found.error());
    ToProto(*found, response->mutable_status());
    return {};
  });
}

}  // namespace idzone::provisioning
