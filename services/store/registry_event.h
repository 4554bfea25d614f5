// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/store/encoding.h"
#include "services/store/registry_record.h"

/// The audit log, for the registry's own .cc files: every change writes one event in its own transaction.
namespace idzone::store {

struct Event {
  const char* kind = "";  // "identity.enrolled"
  std::optional<std::int32_t> namespace_id{};
  std::vector<OctetsView> identity_ids{};
  std::string detail = "{}";  // JSON
};

void WriteEvent(pqxx::transaction_base& transaction, const Actor& actor, const Event& event);

/// Returns {"key":"value",…} with its texts escaped. Requires: keys that need no escaping.
std::string JsonObject(std::initializer_list<std::pair<const char*, std::string>> members);

/// Reads `extract(epoch from …)::bigint`.
inline UnixTime TimeOf(const pqxx::field& field) {
  return UnixTime(std::chrono::seconds(field.as<std::int64_t>()));
}
inline std::optional<UnixTime> OptionalTimeOf(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(TimeOf(field));
}

}  // namespace idzone::store
