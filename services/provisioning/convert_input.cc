// SPDX-License-Identifier: MIT
// The half of convert.h that reads what callers send.
#include <algorithm>

#include "services/core/base/limits.h"
#include "services/core/zone/cut.h"
#include "services/core/zone/policy.h"
#include "services/provisioning/convert.h"

namespace idzone::provisioning {
namespace {

/// Shows untrusted text in an error: printable ASCII, cut short.
std::string Shown(const std::string& text) {
  std::string shown = text.substr(0, 80);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return "\"" + shown + "\"";
}

constexpr std::size_t kReasonMax = 200;

/// Counts code points, as PostgreSQL's length() does; continuation octets of UTF-8 do not count.
std::size_t CharacterCount(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

bool IsLowerAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

Result<void> CheckId(const std::string& text, const char* subject, std::string_view inner, const char* expected) {
  if (text.empty()) return Fail(Reason::kValueMissing, subject, expected, "nothing");
  const bool allowed = std::all_of(text.begin(), text.end(), [&](char c) { return IsLowerAlnum(c) || inner.find(c) != inner.npos; });
  if (text.size() > limits::kOperatorIdMax || !allowed || !IsLowerAlnum(text.front()) || !IsLowerAlnum(text.back()))
    return Fail(Reason::kValueMalformed, subject, expected, Shown(text));
  return {};
}

bool IsMail(zone::NamespaceKind kind) {
  return kind == zone::NamespaceKind::kMailKey || kind == zone::NamespaceKind::kMailCertificate;
}

/// Mailboxes and services have one place each, and a wildcard has one name: nothing but flat makes sense.
bool IsFlatByNature(const v1::Namespace& proto, zone::NamespaceKind kind) {
  return IsMail(kind) || kind == zone::NamespaceKind::kService || proto.wildcard_ca();
}

/// Sixteen zones: made in no time, and enough for some hundred thousand identities.
constexpr std::uint8_t kWidthForUnknown = 1;

Result<zone::Layout> LayoutFromProto(const v1::Namespace& proto, zone::NamespaceKind kind, std::uint64_t expected_identities) {
  const std::uint8_t fitting = expected_identities == 0 ? kWidthForUnknown : zone::WidthForExpected(expected_identities);
  const bool flat = IsFlatByNature(proto, kind);
  if (!proto.has_layout()) return zone::MakeLayout(flat ? zone::LayoutKind::kFlat : zone::LayoutKind::kTree, flat ? 0 : fitting);
  const v1::Layout& layout = proto.layout();
  if (flat && layout.kind() != v1::LAYOUT_KIND_FLAT)
    return Fail(Reason::kValueOutOfRange, "layout.kind", "flat, for mailboxes, services and wildcards", std::to_string(layout.kind()));
  const auto form = static_cast<zone::EnumForm>(layout.form());
  switch (layout.kind()) {
    case v1::LAYOUT_KIND_FLAT: return zone::MakeLayout(zone::LayoutKind::kFlat, layout.width(), form);
    case v1::LAYOUT_KIND_TREE: return zone::MakeLayout(zone::LayoutKind::kTree, layout.has_width() ? layout.width() : fitting, form);
    case v1::LAYOUT_KIND_ENUM: return zone::MakeLayout(zone::LayoutKind::kEnum, layout.width(), form);
    default: return Fail(Reason::kEnumUnknown, "layout.kind", "flat, tree or enum", std::to_string(layout.kind()));
  }
}

/// No user name stands in clear in the DNS unless the namespace says so; choosing to enumerate telephone numbers says so.
Result<zone::LabelPrivacy> LabelsFromProto(v1::LabelPrivacy labels, zone::NamespaceKind kind, const zone::Layout& layout) {
  const bool hides = (kind == zone::NamespaceKind::kDevice || kind == zone::NamespaceKind::kUser) && layout.kind != zone::LayoutKind::kEnum;
  switch (labels) {
    case v1::LABEL_PRIVACY_UNSPECIFIED:
      return hides && kind == zone::NamespaceKind::kUser ? zone::LabelPrivacy::kPrivate : zone::LabelPrivacy::kClear;
    case v1::LABEL_PRIVACY_CLEAR: return zone::LabelPrivacy::kClear;
    case v1::LABEL_PRIVACY_PRIVATE:
    case v1::LABEL_PRIVACY_CHOSEN:
      if (hides) return static_cast<zone::LabelPrivacy>(labels);
      return Fail(Reason::kValueOutOfRange, "labels", "clear, except for devices and users in flat and tree layouts",
                  std::to_string(labels));
    default: return Fail(Reason::kEnumUnknown, "labels", "clear, private or chosen", std::to_string(labels));
  }
}

Result<dns::DenialKind> DenialFromProto(v1::DenialKind denial) {
  switch (denial) {
    case v1::DENIAL_KIND_UNSPECIFIED:
    case v1::DENIAL_KIND_NSEC3: return dns::DenialKind::kNsec3;
    case v1::DENIAL_KIND_NSEC: return dns::DenialKind::kNsec;
    default: return Fail(Reason::kEnumUnknown, "denial", "nsec3 or nsec", std::to_string(denial));
  }
}

Result<std::uint8_t> AlgorithmFromProto(v1::SigningAlgorithm algorithm) {
  switch (algorithm) {
    case v1::SIGNING_ALGORITHM_UNSPECIFIED:
    case v1::SIGNING_ALGORITHM_ECDSA_P256: return dns::kAlgorithmEcdsaP256Sha256;
    case v1::SIGNING_ALGORITHM_ED25519: return dns::kAlgorithmEd25519;
    default: return Fail(Reason::kEnumUnknown, "algorithm", "13 (ECDSA P-256) or 15 (Ed25519)", std::to_string(algorithm));
  }
}

/// Flags that fit some kinds alone.
Result<void> CheckFlags(const v1::Namespace& proto, zone::NamespaceKind kind, zone::LabelPrivacy labels) {
  if (proto.mail_records() != IsMail(kind))
    return Fail(Reason::kValueOutOfRange, "mail_records",
                IsMail(kind) ? "true, for SMIMEA and OPENPGPKEY are published on demand alone" : "false",
                proto.mail_records() ? "true" : "false");
  if (proto.wildcard_ca() && (kind != zone::NamespaceKind::kDevice || labels != zone::LabelPrivacy::kClear))
    return Fail(Reason::kValueOutOfRange, "wildcard_ca", "false, except for a _device namespace with clear labels", "true");
  return {};
}

Result<records::RecordProfile> ProfileFromProto(v1::RecordProfile profile, zone::NamespaceKind kind) {
  switch (profile) {
    case v1::RECORD_PROFILE_UNSPECIFIED:
      // Who looks for an S/MIME certificate wants to encrypt to it.
      return kind == zone::NamespaceKind::kMailCertificate ? records::RecordProfile::kTlsa300 : records::RecordProfile::kTlsa311;
    case v1::RECORD_PROFILE_TLSA_3_0_0: return records::RecordProfile::kTlsa300;
    case v1::RECORD_PROFILE_TLSA_3_1_1: return records::RecordProfile::kTlsa311;
    case v1::RECORD_PROFILE_TLSA_3_1_2: return records::RecordProfile::kTlsa312;
    case v1::RECORD_PROFILE_TLSA_3_0_1: return records::RecordProfile::kTlsa301;
    case v1::RECORD_PROFILE_TLSA_3_1_0: return records::RecordProfile::kTlsa310;
    default: return Fail(Reason::kEnumUnknown, "profile", "TLSA 3 1 1, 3 1 2, 3 0 1, 3 1 0 or 3 0 0", std::to_string(profile));
  }
}

/// Name servers live outside the zone: it holds no address records for them.
Result<std::vector<std::string>> NameServersFromProto(const v1::Namespace& proto, const dns::Name& apex) {
  const auto count = static_cast<std::size_t>(proto.name_servers_size());
  if (count == 0) return Fail(Reason::kValueMissing, "name_servers", "1 to 13 host names", "none");
  if (count > limits::kNameServersMax) return Fail(Reason::kValueOutOfRange, "name_servers", "1 to 13 host names", std::to_string(count));
  std::vector<std::string> servers;
  for (const std::string& text : proto.name_servers()) {
    const auto name = dns::Name::Parse(text, "name_servers");
    if (!name) return tl::unexpected(name.error());
    const auto labels = name->Labels();
    const bool host = labels.size() >= 2 && std::all_of(labels.begin(), labels.end(), [](OctetsView label) {
                        return std::all_of(label.begin(), label.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; }) &&
                               label.front() != '-' && label.back() != '-';
                      });
    if (!host) return Fail(Reason::kNameMalformed, "name_servers", "fully qualified host names (RFC 1123 §2.1)", Shown(text));
    if (name->IsAtOrBelow(apex))
      return Fail(Reason::kNameOutsideSuffix, "name_servers", "names outside the zone, which has no address records", name->Format());
    if (std::find(servers.begin(), servers.end(), name->Format()) != servers.end())
      return Fail(Reason::kValueMalformed, "name_servers", "each name once", name->Format() + " twice");
    servers.push_back(name->Format());
  }
  return servers;
}

}  // namespace

Result<store::NamespaceRecord> NamespaceFromProto(const v1::Namespace& proto, std::uint64_t expected_identities,
                                                  const std::string& default_operator) {
  if (proto.name().empty()) return Fail(Reason::kValueMissing, "name", "_device.<organisation's domain>", "nothing");
  auto name = dns::Name::Parse(proto.name(), "name");
  if (!name) return tl::unexpected(name.error());
  if (auto apex = zone::CheckApex(*name); !apex) return tl::unexpected(apex.error());
  const std::string operator_id = proto.operator_id().empty() ? default_operator : proto.operator_id();
  if (auto checked = CheckOperatorId(operator_id, "operator_id"); !checked) return tl::unexpected(checked.error());
  const zone::NamespaceKind kind = zone::KindOf(*name);
  const auto layout = LayoutFromProto(proto, kind, expected_identities);
  if (!layout) return tl::unexpected(layout.error());
  const bool has_cuts = zone::TreeCutCount(*layout) > 0;
  if (has_cuts) {
    // All of them have names of one length.
    if (auto cut = zone::TreeCut(*layout, *name, 0); !cut) return tl::unexpected(cut.error());
  }
  const auto labels = LabelsFromProto(proto.labels(), kind, *layout);
  if (!labels) return tl::unexpected(labels.error());
  const auto denial = DenialFromProto(proto.denial());
  if (!denial) return tl::unexpected(denial.error());
  const auto algorithm = AlgorithmFromProto(proto.algorithm());
  if (!algorithm) return tl::unexpected(algorithm.error());
  if (auto flags = CheckFlags(proto, kind, *labels); !flags) return tl::unexpected(flags.error());
  const std::string policy = proto.policy().empty() ? "standard" : proto.policy();
  if (auto checked = zone::CheckPolicyName(policy, "policy"); !checked) return tl::unexpected(checked.error());
  const auto profile = ProfileFromProto(proto.profile(), kind);
  if (!profile) return tl::unexpected(profile.error());
  auto servers = NameServersFromProto(proto, *name);
  if (!servers) return tl::unexpected(servers.error());
  return store::NamespaceRecord{.name = std::move(*name),
                                .operator_id = operator_id,
                                .layout = *layout,
                                .policy = policy,
                                .profile = *profile,
                                .name_servers = std::move(*servers),
                                .labels = *labels,
                                .denial = *denial,
                                .algorithm = *algorithm,
                                .wildcard_ca = proto.wildcard_ca(),
                                .mail_records = proto.mail_records(),
                                .has_cuts = has_cuts};
}

Result<void> CheckOperatorId(const std::string& text, const char* subject) {
  return CheckId(text, subject, "-", "1 to 63 lower-case letters, digits, inner hyphens");
}

Result<void> CheckEdgeId(const std::string& text, const char* subject) {
  return CheckId(text, subject, "-.", "1 to 63 lower-case letters, digits, inner hyphens and dots");
}

Result<void> CheckReason(const std::string& reason) {
  if (CharacterCount(reason) > kReasonMax)
    return Fail(Reason::kLimitExceeded, "reason", "at most 200 characters", std::to_string(CharacterCount(reason)));
  // PostgreSQL's text holds every character but this one.
  if (reason.find('\0') != std::string::npos) return Fail(Reason::kValueMalformed, "reason", "text without NUL", "a NUL character");
  return {};
}

Result<void> CheckDisplayName(const std::string& text, const char* subject) {
  const char* expected = "1 to 200 characters without control characters";
  if (text.empty()) return Fail(Reason::kValueMissing, subject, expected, "nothing");
  if (text.size() > limits::kDisplayNameMax)
    return Fail(Reason::kLimitExceeded, subject, expected, std::to_string(text.size()) + " octets");
  const bool control = std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control) return Fail(Reason::kValueMalformed, subject, expected, Shown(text));
  return {};
}

}  // namespace idzone::provisioning
