// SPDX-License-Identifier: MIT
#include "cli/output/namespace_json.h"

#include <nlohmann/json.hpp>

#include "cli/output/resource.h"
#include "services/core/base/octets.h"

namespace idzone::cli {

const Spellings<v1::LayoutKind> kLayoutKinds = {
    {"flat", v1::LAYOUT_KIND_FLAT}, {"tree", v1::LAYOUT_KIND_TREE}, {"enum", v1::LAYOUT_KIND_ENUM}};
const Spellings<v1::EnumForm> kEnumForms = {
    {"digits", v1::ENUM_FORM_DIGITS}, {"nibbles", v1::ENUM_FORM_NIBBLES}, {"eui48", v1::ENUM_FORM_EUI48}, {"eui64", v1::ENUM_FORM_EUI64},
    {"imei", v1::ENUM_FORM_IMEI},     {"gs1", v1::ENUM_FORM_GS1},         {"e164", v1::ENUM_FORM_E164}};
const Spellings<v1::LabelPrivacy> kLabelPrivacies = {
    {"clear", v1::LABEL_PRIVACY_CLEAR}, {"private", v1::LABEL_PRIVACY_PRIVATE}, {"chosen", v1::LABEL_PRIVACY_CHOSEN}};
const Spellings<v1::DenialKind> kDenialKinds = {{"nsec3", v1::DENIAL_KIND_NSEC3}, {"nsec", v1::DENIAL_KIND_NSEC}};
const Spellings<v1::SigningAlgorithm> kSigningAlgorithms = {{"ecdsa", v1::SIGNING_ALGORITHM_ECDSA_P256},
                                                            {"ed25519", v1::SIGNING_ALGORITHM_ED25519}};

namespace {

/// A newer server may know more than we do.
template <typename Enum>
std::string Spelled(const Spellings<Enum>& spellings, Enum value) {
  for (const auto& [text, known] : spellings) {
    if (known == value) return text;
  }
  return "unknown";
}

std::string LayoutText(const v1::Layout& layout) {
  std::string text = Spelled(kLayoutKinds, layout.kind());
  if (layout.kind() == v1::LAYOUT_KIND_TREE) text += ' ' + std::to_string(layout.width());
  if (layout.kind() == v1::LAYOUT_KIND_ENUM) text += ' ' + Spelled(kEnumForms, layout.form());
  return text;
}

std::string ProfileText(v1::RecordProfile profile) {
  switch (profile) {
    case v1::RECORD_PROFILE_TLSA_3_1_1: return "3 1 1";
    case v1::RECORD_PROFILE_TLSA_3_1_2: return "3 1 2";
    case v1::RECORD_PROFILE_TLSA_3_0_1: return "3 0 1";
    case v1::RECORD_PROFILE_TLSA_3_1_0: return "3 1 0";
    case v1::RECORD_PROFILE_TLSA_3_0_0: return "3 0 0";
    default: return "unknown";
  }
}

Json AuthorityJson(const v1::Authority& authority) {
  return {{"fingerprint", HexEncode(authority.fingerprint())},
          {"owner_name", authority.owner_name()},
          {"record", authority.record()},
          {"set_time", FormatTime(authority.set_time())},
          {"change", authority.change()}};
}

}  // namespace

Json NamespaceJson(const v1::Namespace& resource) {
  Json object = {{"name", resource.name()},
                 {"operator", resource.operator_id()},
                 {"layout", LayoutText(resource.layout())},
                 {"labels", Spelled(kLabelPrivacies, resource.labels())},
                 {"policy", resource.policy()},
                 {"profile", ProfileText(resource.profile())},
                 {"denial", Spelled(kDenialKinds, resource.denial())},
                 {"algorithm", Spelled(kSigningAlgorithms, resource.algorithm())},
                 {"wildcard_ca", resource.wildcard_ca()},
                 {"mail_records", resource.mail_records()},
                 {"name_servers", Json::array()},
                 {"authority", nullptr},
                 {"zone_exists", resource.zone_exists()},
                 {"cuts_wanted", resource.cuts_wanted()},
                 {"cuts_made", resource.cuts_made()},
                 {"create_time", FormatTime(resource.create_time())}};
  for (const auto& server : resource.name_servers()) object["name_servers"].push_back(server);
  if (resource.has_authority()) object["authority"] = AuthorityJson(resource.authority());
  return object;
}

}  // namespace idzone::cli
