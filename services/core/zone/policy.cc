// SPDX-License-Identifier: MIT
#include "services/core/zone/policy.h"

namespace idzone::zone {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

ZonePolicy Policy(std::string name, dns::Ttl ttl, seconds life, seconds resign, seconds refresh) {
  const SignatureLife signature{life, resign};
  return ZonePolicy{.name = std::move(name),
                    .ttl = ttl,
                    .negative_ttl = ttl < 300 ? ttl : 300,
                    .apex_ttl = 3600 < resign.count() ? 3600 : static_cast<dns::Ttl>(resign.count()),
                    .identity = signature,
                    .denial = signature,
                    .apex = signature,
                    .soa_refresh = refresh,
                    .soa_retry = refresh / 4,
                    .soa_expire = life - resign,
                    .inception_offset = hours(1)};
}

}  // namespace

Result<ZonePolicy> FindZonePolicy(std::string_view name) {
  if (name == "fast") return Policy("fast", 60, hours(3), hours(1), minutes(10));
  if (name == "standard") return Policy("standard", 300, hours(72), hours(24), hours(1));
  if (name == "relaxed") return Policy("relaxed", 3600, hours(240), hours(72), hours(4));
  return Fail(Reason::kEnumUnknown, "policy", "fast, standard or relaxed", std::string(name));
}

}  // namespace idzone::zone
