// SPDX-License-Identifier: MIT
#include "services/provisioning/policy_handler.h"

#include "services/provisioning/convert.h"
#include "services/provisioning/page_token.h"
#include "services/store/registry_policy.h"

namespace idzone::provisioning {
namespace {

using std::chrono::seconds;

Result<seconds> SpanFromProto(const google::protobuf::Duration& proto, const std::string& field) {
  if (proto.nanos() != 0) return Fail(Reason::kValueMalformed, field, "whole seconds", std::to_string(proto.nanos()) + " ns more");
  return seconds(proto.seconds());
}

Result<zone::SignatureLife> LifeFromProto(const v1::SignatureLife& proto, const std::string& field) {
  const auto life = SpanFromProto(proto.life(), field + ".life");
  if (!life) return tl::unexpected(life.error());
  const auto resign = SpanFromProto(proto.resign_period(), field + ".resign");
  if (!resign) return tl::unexpected(resign.error());
  return zone::SignatureLife{*life, *resign};
}

Result<zone::KeyPolicy> KeysFromProto(const v1::KeyPolicy& proto) {
  zone::KeyPolicy keys;
  if (!v1::KeyScope_IsValid(proto.scope()))
    return Fail(Reason::kEnumUnknown, "keys.scope", "a KeyScope that this release knows", std::to_string(proto.scope()));
  if (!v1::KeyScheme_IsValid(proto.scheme()))
    return Fail(Reason::kEnumUnknown, "keys.scheme", "a KeyScheme that this release knows", std::to_string(proto.scheme()));
  if (proto.scope() != v1::KEY_SCOPE_UNSPECIFIED) keys.scope = static_cast<zone::KeyScope>(proto.scope());
  if (proto.scheme() != v1::KEY_SCHEME_UNSPECIFIED) keys.scheme = static_cast<zone::KeyScheme>(proto.scheme());
  const auto key_life = SpanFromProto(proto.key_life(), "keys.key_life");
  if (!key_life) return tl::unexpected(key_life.error());
  const auto zsk_life = SpanFromProto(proto.zsk_life(), "keys.zsk_life");
  if (!zsk_life) return tl::unexpected(zsk_life.error());
  keys.key_life = *key_life;
  keys.zsk_life = *zsk_life;
  return keys;
}

void ToProto(const zone::KeyPolicy& keys, v1::KeyPolicy* proto) {
  proto->set_scope(static_cast<v1::KeyScope>(keys.scope));
  proto->set_scheme(static_cast<v1::KeyScheme>(keys.scheme));
  proto->mutable_key_life()->set_seconds(keys.key_life.count());
  proto->mutable_zsk_life()->set_seconds(keys.zsk_life.count());
}

void ToProto(const zone::SignatureLife& life, v1::SignatureLife* proto) {
  proto->mutable_life()->set_seconds(life.life.count());
  proto->mutable_resign_period()->set_seconds(life.resign.count());
}

void ToProto(const store::PolicyRecord& record, v1::Policy* proto) {
  const zone::ZonePolicy& policy = record.policy;
  proto->set_name(policy.name);
  proto->set_ttl_seconds(policy.ttl);
  proto->set_negative_ttl_seconds(policy.negative_ttl);
  ToProto(policy.identity, proto->mutable_identity());
  ToProto(policy.denial, proto->mutable_denial());
  ToProto(policy.apex, proto->mutable_apex());
  ToProto(policy.keys, proto->mutable_keys());
  proto->mutable_soa_expire()->set_seconds(policy.soa_expire.count());
  proto->mutable_quarantine()->set_seconds(zone::QuarantineOf(policy).count());
  proto->set_built_in(record.built_in);
  proto->mutable_create_time()->set_seconds(record.created_at.time_since_epoch().count());
}

}  // namespace

Result<zone::ZonePolicy> PolicyFromProto(const v1::Policy& proto) {
  if (!proto.has_identity())
    return Fail(Reason::kValueMissing, "identity", "the life and re-sign period of identities' signatures", "nothing");
  zone::PolicyChoice choice;
  choice.ttl = proto.ttl_seconds();
  if (proto.negative_ttl_seconds() != 0) choice.negative_ttl = proto.negative_ttl_seconds();
  const auto identity = LifeFromProto(proto.identity(), "identity");
  if (!identity) return tl::unexpected(identity.error());
  choice.identity = *identity;
  if (proto.has_denial()) {
    const auto denial = LifeFromProto(proto.denial(), "denial");
    if (!denial) return tl::unexpected(denial.error());
    choice.denial = *denial;
  }
  if (proto.has_apex()) {
    const auto apex = LifeFromProto(proto.apex(), "apex");
    if (!apex) return tl::unexpected(apex.error());
    choice.apex = *apex;
  }
  if (proto.has_soa_expire()) {
    const auto expire = SpanFromProto(proto.soa_expire(), "soa_expire");
    if (!expire) return tl::unexpected(expire.error());
    choice.soa_expire = *expire;
  }
  const auto keys = KeysFromProto(proto.keys());
  if (!keys) return tl::unexpected(keys.error());
  choice.keys = *keys;
  return zone::MakeZonePolicy(proto.name(), choice);
}

grpc::Status PolicyHandler::CreatePolicy(grpc::ServerContext* context, const v1::CreatePolicyRequest* request,
                                         v1::CreatePolicyResponse* response) {
  return gate_.Serve(context, "/idzone.v1.PolicyService/CreatePolicy", *request, [&](const rpc::Caller& caller) -> Result<void> {
    const auto policy = PolicyFromProto(request->policy());
    if (!policy) return tl::unexpected(policy.error());
    const auto record = store::CreatePolicy(database_, ActorOf(caller), *policy);
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_policy());
    return {};
  });
}

grpc::Status PolicyHandler::GetPolicy(grpc::ServerContext* context, const v1::GetPolicyRequest* request, v1::GetPolicyResponse* response) {
  return gate_.Serve(context, "/idzone.v1.PolicyService/GetPolicy", *request, [&](const rpc::Caller&) -> Result<void> {
    const auto record = store::FindPolicy(database_, request->name());
    if (!record) return tl::unexpected(record.error());
    ToProto(*record, response->mutable_policy());
    return {};
  });
}

grpc::Status PolicyHandler::ListPolicies(grpc::ServerContext* context, const v1::ListPoliciesRequest* request,
                                         v1::ListPoliciesResponse* response) {
  return gate_.Serve(context, "/idzone.v1.PolicyService/ListPolicies", *request, [&](const rpc::Caller&) -> Result<void> {
    const ListName list{"ListPolicies", ""};
    const auto page = ReadPage(list, request->page_size(), request->page_token());
    if (!page) return tl::unexpected(page.error());
    const auto records = store::ListPolicies(database_, *page);
    if (!records) return tl::unexpected(records.error());
    for (const store::PolicyRecord& record : *records) ToProto(record, response->add_policies());
    if (records->size() == page->limit) response->set_next_page_token(MakePageToken(list, records->back().policy.name));
    return {};
  });
}

}  // namespace idzone::provisioning
