// SPDX-License-Identifier: MIT
#include "services/provisioning/convert.h"

#include <algorithm>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/presentation.h"
#include "services/provisioning/naming.h"

namespace idzone::provisioning {
namespace {

void ToProto(UnixTime time, google::protobuf::Timestamp* proto) {
  proto->set_seconds(time.time_since_epoch().count());
}

/// "TLSA 3 1 1 d2ab…", "SSHFP 4 2 09a1…", "OPENPGPKEY mQENB…"
std::string FormatKeyRecord(dns::RrType type, OctetsView rdata) {
  std::string text = dns::RrTypeName(type);
  if (type == dns::RrType::kOpenPgpKey) return text + " " + Base64Encode(rdata);
  OctetReader reader(rdata);
  const int numbers = type == dns::RrType::kSshfp ? 2 : 3;
  for (int i = 0; i < numbers; ++i) text += " " + std::to_string(reader.U8());
  return text + " " + HexEncode(reader.Raw(reader.remaining()));
}

void AddDelegation(const store::ZoneRecord& record, v1::Zone* proto) {
  for (const dns::RrSet& rrset : record.apex) {
    if (rrset.type == dns::RrType::kNs) {
      for (const Octets& rdata : rrset.rdatas)
        proto->add_delegation_records(dns::FormatRecord(record.name, rrset.ttl, dns::RrType::kNs, rdata));
    }
  }
  const auto dnskeys =
      std::find_if(record.apex.begin(), record.apex.end(), [](const auto& rrset) { return rrset.type == dns::RrType::kDnskey; });
  if (dnskeys == record.apex.end()) return;
  // While keys roll, the parent's part is not what the apex shows.
  for (const store::ZoneKeyRecord& key : record.keys) {
    if (key.in_ds)
      proto->add_delegation_records(dns::FormatRecord(record.name, dnskeys->ttl, dns::RrType::kDs, dns::EncodeDs(record.name, key.dnskey)));
  }
}

}  // namespace

store::Actor ActorOf(const rpc::Caller& caller) {
  return {caller.fingerprint, caller.operator_id};
}

void ToProto(const store::NamespaceRecord& record, v1::Namespace* proto) {
  proto->set_name(record.name.Format());
  proto->set_operator_id(record.operator_id);
  proto->mutable_layout()->set_kind(static_cast<v1::LayoutKind>(record.layout.kind));
  proto->mutable_layout()->set_width(record.layout.width);
  proto->mutable_layout()->set_form(static_cast<v1::EnumForm>(record.layout.form));
  proto->set_policy(record.policy);
  proto->set_profile(static_cast<v1::RecordProfile>(record.profile));
  for (const std::string& server : record.name_servers) proto->add_name_servers(server);
  ToProto(record.created_at, proto->mutable_create_time());
  proto->set_zone_exists(record.zone_exists);
  proto->set_labels(static_cast<v1::LabelPrivacy>(record.labels));
  proto->set_denial(static_cast<v1::DenialKind>(record.denial));
  proto->set_algorithm(static_cast<v1::SigningAlgorithm>(record.algorithm));
  proto->set_wildcard_ca(record.wildcard_ca);
  proto->set_mail_records(record.mail_records);
  proto->set_cuts_wanted(record.cuts_wanted);
  proto->set_cuts_made(record.cuts_made);
  if (!record.authority) return;
  auto* authority = proto->mutable_authority();
  authority->set_fingerprint(record.authority->fingerprint);
  authority->set_owner_name((record.wildcard_ca ? "*." : "") + record.name.Format());
  authority->set_record(FormatKeyRecord(dns::RrType::kTlsa, record.authority->rdata));
  ToProto(record.authority->set_at, authority->mutable_set_time());
  authority->set_change(record.authority->change);
}

void ToProto(const store::PublishedIn& version, v1::ZoneVersion* proto) {
  proto->set_zone(version.zone);
  proto->set_epoch(version.epoch);
  proto->set_serial(version.serial);
}

void ToProto(const store::NamespaceRecord& home, const store::IdentityRecord& record, v1::Identity* proto) {
  proto->set_namespace_name(home.name.Format());
  proto->set_id(record.subject);
  if (const auto owner = Naming::OwnerOf(home, record); owner) proto->set_owner_name(owner->Format());
  proto->set_state(record.revoked_at ? v1::IDENTITY_STATE_REVOKED : v1::IDENTITY_STATE_ACTIVE);
  const store::KeyRecord& key = record.MainKey();
  proto->set_fingerprint(key.fingerprint);
  proto->set_record(FormatKeyRecord(key.type, key.rdata));
  for (const store::KeyRecord& each : record.keys) {
    auto* out = proto->add_keys();
    out->set_fingerprint(each.fingerprint);
    out->set_record(FormatKeyRecord(each.type, each.rdata));
    out->set_state(each.retired_at ? v1::KEY_STATE_RETIRED : v1::KEY_STATE_ACTIVE);
    ToProto(each.added_at, out->mutable_add_time());
    if (each.retired_at) ToProto(*each.retired_at, out->mutable_retire_time());
  }
  proto->set_private_label(record.label.has_value());
  ToProto(record.enrolled_at, proto->mutable_enroll_time());
  if (record.revoked_at) ToProto(*record.revoked_at, proto->mutable_revoke_time());
  proto->set_life(static_cast<std::uint32_t>(record.life));
  if (record.quarantine_end) ToProto(*record.quarantine_end, proto->mutable_quarantine_end_time());
  proto->set_change(record.change);
  if (record.version) ToProto(*record.version, proto->mutable_version());
}

void ToProto(const store::OperatorRecord& record, v1::Operator* proto) {
  proto->set_id(record.operator_id);
  proto->set_display_name(record.display_name);
  ToProto(record.created_at, proto->mutable_create_time());
}

void ToProto(const store::PrincipalRecord& record, v1::Principal* proto) {
  proto->set_fingerprint(record.fingerprint);
  proto->set_operator_id(record.operator_id);
  proto->set_display_name(record.display_name);
  proto->set_role(static_cast<v1::Role>(record.role));
  ToProto(record.created_at, proto->mutable_create_time());
  if (record.disabled_at) ToProto(*record.disabled_at, proto->mutable_disable_time());
}

void ToProto(const store::EdgeRecord& record, v1::Edge* proto) {
  proto->set_id(record.edge_id);
  proto->set_fingerprint(record.fingerprint);
  ToProto(record.created_at, proto->mutable_create_time());
  for (const store::EdgePositionRecord& position : record.positions) {
    auto* out = proto->add_positions();
    out->set_zone(position.zone);
    out->set_epoch(position.epoch);
    out->set_serial(position.serial);
    out->set_published_epoch(position.published_epoch);
    out->set_published_serial(position.published_serial);
    ToProto(position.reported_at, out->mutable_report_time());
  }
}

void ToProto(const store::ZoneRecord& record, v1::Zone* proto) {
  proto->set_name(record.name.Format());
  proto->set_namespace_name(record.namespace_name);
  proto->set_epoch(record.position.epoch);
  proto->set_serial(record.position.serial);
  proto->set_digest(record.position.digest);
  proto->set_node_count(record.node_count);
  ToProto(record.last_signed_at, proto->mutable_last_sign_time());
  AddDelegation(record, proto);
  for (const store::ZoneKeyRecord& key : record.keys) {
    auto* out = proto->add_keys();
    out->set_key_id(key.key_id);
    out->set_key_tag(key.key_tag);
    out->set_algorithm(key.algorithm);
  }
  for (const store::EdgePositionRecord& position : record.edges) {
    auto* out = proto->add_edges();
    out->set_edge_id(position.edge_id);
    out->set_epoch(position.epoch);
    out->set_serial(position.serial);
    ToProto(position.reported_at, out->mutable_report_time());
  }
}

}  // namespace idzone::provisioning
