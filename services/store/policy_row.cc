// SPDX-License-Identifier: MIT
#include "services/store/policy_row.h"

namespace idzone::store {

zone::ZonePolicy ReadPolicy(const pqxx::row& row) {
  const auto span = [&](const char* column) { return std::chrono::seconds(row[column].as<std::int64_t>()); };
  const auto ttl = [&](const char* column) { return static_cast<dns::Ttl>(row[column].as<std::uint32_t>()); };
  return {.name = row["policy_name"].as<std::string>(),
          .ttl = ttl("policy_ttl"),
          .negative_ttl = ttl("policy_negative_ttl"),
          .apex_ttl = ttl("policy_apex_ttl"),
          .identity = {span("policy_identity_life"), span("policy_identity_resign")},
          .denial = {span("policy_denial_life"), span("policy_denial_resign")},
          .apex = {span("policy_apex_life"), span("policy_apex_resign")},
          .soa_refresh = span("policy_soa_refresh"),
          .soa_retry = span("policy_soa_retry"),
          .soa_expire = span("policy_soa_expire"),
          .inception_offset = zone::kInceptionOffset,
          .keys = {.scope = static_cast<zone::KeyScope>(row["policy_key_scope"].as<int>()),
                   .scheme = static_cast<zone::KeyScheme>(row["policy_key_scheme"].as<int>()),
                   .key_life = span("policy_key_life"),
                   .zsk_life = span("policy_zsk_life")}};
}

}  // namespace idzone::store
