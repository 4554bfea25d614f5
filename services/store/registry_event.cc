// SPDX-License-Identifier: MIT
#include "services/store/registry_event.h"

namespace idzone::store {
namespace {

constexpr Statement kInsert{"event_insert",
                            "insert into registry.event (fingerprint, operator_id, kind, namespace_id, identity_ids, detail)"
                            " values ($1::bytea, $2::text, $3::text, nullif($4::integer, 0), $5::uuid[], $6::jsonb)"};

std::string Escape(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (octet < 0x20) {
      escaped += std::string("\\u00") + kHex[octet >> 4] + kHex[octet & 15];
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

void WriteEvent(pqxx::transaction_base& transaction, const Actor& actor, const Event& event) {
  // Numbers of namespaces begin at 1, so 0 can stand for "none".
  Execute(transaction, kInsert, Bytea(actor.fingerprint), actor.operator_id, event.kind, event.namespace_id.value_or(0),
          UuidArray(event.identity_ids), event.detail);
}

std::string JsonObject(std::initializer_list<std::pair<const char*, std::string>> members) {
  std::string json = "{";
  for (const auto& [key, value] : members) json += (json.size() > 1 ? ",\"" : "\"") + std::string(key) + "\":\"" + Escape(value) + "\"";
  return json + "}";
}

}  // namespace idzone::store
