// SPDX-License-Identifier: MIT
#include "cli/output/resource.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "idzone/v1/identity.pb.h"
#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

std::string StateName(v1::IdentityState state) {
  switch (state) {
    case v1::IDENTITY_STATE_ACTIVE: return "active";
    case v1::IDENTITY_STATE_REVOKED: return "revoked";
    default: return "unknown";
  }
}

std::string StateName(v1::KeyState state) {
  switch (state) {
    case v1::KEY_STATE_ACTIVE: return "active";
    case v1::KEY_STATE_RETIRED: return "retired";
    default: return "unknown";
  }
}

Json KeyJson(const v1::IdentityKey& key) {
  Json object = {{"state", StateName(key.state())},
                 {"record", key.record()},
                 {"fingerprint", HexEncode(key.fingerprint())},
                 {"add_time", FormatTime(key.add_time())},
                 {"retire_time", nullptr}};
  if (key.has_retire_time()) object["retire_time"] = FormatTime(key.retire_time());
  return object;
}

}  // namespace

std::string FormatTime(const google::protobuf::Timestamp& time) {
  const auto seconds = static_cast<std::time_t>(time.seconds());
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

Json VersionJson(std::uint32_t epoch, std::uint32_t serial) {
  return {{"epoch", epoch}, {"serial", serial}};
}

Json IdentityJson(const v1::Identity& identity) {
  std::string client_id = identity.owner_name();
  if (client_id.ends_with('.')) client_id.pop_back();
  Json object = {{"id", identity.id()},
                 {"namespace", identity.namespace_name()},
                 {"owner_name", identity.owner_name()},
                 {"dane_clientid", client_id},
                 {"state", StateName(identity.state())},
                 {"fingerprint", HexEncode(identity.fingerprint())},
                 {"record", identity.record()},
                 {"private_label", identity.private_label()},
                 {"active_keys", 0},
                 {"keys", Json::array()},
                 {"enroll_time", FormatTime(identity.enroll_time())},
                 {"revoke_time", nullptr},
                 {"quarantine_end_time", nullptr},
                 {"life", identity.life()},
                 {"change", identity.change()},
                 {"version", nullptr}};
  int active = 0;
  for (const auto& key : identity.keys()) {
    object["keys"].push_back(KeyJson(key));
    if (key.state() == v1::KEY_STATE_ACTIVE) ++active;
  }
  object["active_keys"] = active;
  if (identity.has_revoke_time()) object["revoke_time"] = FormatTime(identity.revoke_time());
  if (identity.has_quarantine_end_time()) object["quarantine_end_time"] = FormatTime(identity.quarantine_end_time());
  if (identity.has_version()) object["version"] = VersionJson(identity.version().epoch(), identity.version().serial());
  return object;
}

}  // namespace idzone::cli
