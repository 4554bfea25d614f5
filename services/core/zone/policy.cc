// SPDX-License-Identifier: MIT
#include "services/core/zone/policy.h"

#include <algorithm>

namespace idzone::zone {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kResignMin = minutes(10);
constexpr seconds kLifeMax = hours(24 * 30);
constexpr dns::Ttl kTtlMax = 86'400;
constexpr dns::Ttl kNegativeTtlMax = 3 * 3600;
constexpr dns::Ttl kApexTtlMax = 3600;
constexpr std::size_t kNameMax = 32;

std::string Span(seconds span) {
  return std::to_string(span.count()) + " s";
}

seconds SecondsOf(dns::Ttl ttl) {
  return seconds(ttl);
}

/// Refuses unless low <= value <= high; `why` says what the bounds come from.
Result<void> CheckRange(const std::string& field, seconds value, seconds low, seconds high, const char* why) {
  if (low <= value && value <= high) return {};
  if (value < low) return Fail(Reason::kValueOutOfRange, field, "at least " + Span(low) + why, Span(value));
  return Fail(Reason::kValueOutOfRange, field, "at most " + Span(high) + why, Span(value));
}

Result<void> CheckLife(const std::string& field, const SignatureLife& life) {
  if (auto fits = CheckRange(field + ".resign", life.resign, kResignMin, kLifeMax, ""); !fits) return fits;
  return CheckRange(field + ".life", life.life, 3 * life.resign, kLifeMax, life.life < 3 * life.resign ? ", three times its resign" : "");
}

Result<void> CheckTtls(const ZonePolicy& policy) {
  const seconds one(1);
  if (auto fits = CheckRange("ttl", SecondsOf(policy.ttl), one, std::min(policy.identity.resign, SecondsOf(kTtlMax)),
                             ", identity.resign and a day");
      !fits)
    return fits;
  return CheckRange("negative_ttl", SecondsOf(policy.negative_ttl), one, std::min(policy.denial.resign, SecondsOf(kNegativeTtlMax)),
                    ", denial.resign and 3 h");
}

constexpr seconds kKeyLifeMax = hours(24 * 3650);
constexpr seconds kParentTakes = hours(48);
constexpr int kRollsInLife = 4;

Result<void> CheckKeyLife(const ZonePolicy& policy, const char* field, seconds life, bool of_zsk) {
  if (life == seconds(0)) return {};
  return CheckRange(field, life, kRollsInLife * RollDuration(policy, of_zsk), kKeyLifeMax,
                    life > kKeyLifeMax ? ", ten years" : ", four times what a roll takes");
}

Result<void> CheckKeyPolicy(const ZonePolicy& policy) {
  if (policy.keys.zsk_life != seconds(0) && policy.keys.scheme != KeyScheme::kSplit)
    return Fail(Reason::kValueOutOfRange, "keys.zsk_life", "none where one key does everything", Span(policy.keys.zsk_life));
  if (auto fits = CheckKeyLife(policy, "keys.key_life", policy.keys.key_life, false); !fits) return fits;
  return CheckKeyLife(policy, "keys.zsk_life", policy.keys.zsk_life, true);
}

}  // namespace

Result<void> CheckPolicyName(const std::string& name, const char* field) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  const bool good =
      !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), fits) && name.front() != '-' && name.back() != '-';
  if (good) return {};
  return Fail(Reason::kValueMalformed, field, "1 to 32 lower-case letters, digits, inner hyphens",
              std::to_string(name.size()) + " octets, or others");
}

Result<ZonePolicy> MakeZonePolicy(const std::string& name, const PolicyChoice& choice) {
  if (auto fits = CheckPolicyName(name, "name"); !fits) return tl::unexpected(fits.error());
  ZonePolicy policy{};
  policy.name = name;
  policy.ttl = choice.ttl;
  policy.negative_ttl = choice.negative_ttl.value_or(std::min<dns::Ttl>(choice.ttl, 300));
  policy.identity = choice.identity;
  policy.denial = choice.denial.value_or(choice.identity);
  policy.apex = choice.apex.value_or(choice.identity);
  if (auto fits = CheckLife("identity", policy.identity); !fits) return tl::unexpected(fits.error());
  if (auto fits = CheckLife("denial", policy.denial); !fits) return tl::unexpected(fits.error());
  if (auto fits = CheckLife("apex", policy.apex); !fits) return tl::unexpected(fits.error());
  if (auto fits = CheckTtls(policy); !fits) return tl::unexpected(fits.error());

  const seconds resign = std::min({policy.identity.resign, policy.denial.resign, policy.apex.resign});
  policy.apex_ttl = static_cast<dns::Ttl>(std::min(SecondsOf(kApexTtlMax), policy.apex.resign).count());
  policy.soa_refresh = std::clamp<seconds>(resign / 12, kResignMin / 4, hours(4));
  policy.soa_retry = policy.soa_refresh / 4;
  const seconds expire_max = LeastRest(policy);
  policy.soa_expire = choice.soa_expire.value_or(expire_max);
  if (auto fits = CheckRange("soa_expire", policy.soa_expire, 2 * (policy.soa_refresh + policy.soa_retry), expire_max,
                             policy.soa_expire > expire_max ? ", what the oldest signatures have left" : ", two refreshes and retries");
      !fits)
    return tl::unexpected(fits.error());
  policy.keys = choice.keys;
  if (auto fits = CheckKeyPolicy(policy); !fits) return tl::unexpected(fits.error());
  return policy;
}

std::chrono::seconds LeastRest(const ZonePolicy& policy) {
  const auto swept = [](const SignatureLife& life) { return life.life - (25 * life.resign + seconds(15)) / 16; };
  return std::min({swept(policy.identity), swept(policy.denial), policy.apex.life - policy.apex.resign});
}

std::chrono::seconds RollDuration(const ZonePolicy& policy, bool of_zsk) {
  const seconds propagation = policy.soa_refresh + policy.soa_retry;
  const seconds resign = std::max(policy.identity.resign, policy.denial.resign);
  const dns::Ttl data_ttl = std::max({policy.ttl, policy.negative_ttl, policy.apex_ttl});
  return 2 * propagation + SecondsOf(policy.apex_ttl) + resign + SecondsOf(data_ttl) + (of_zsk ? seconds(0) : kParentTakes);
}

std::chrono::seconds QuarantineOf(const ZonePolicy& policy) {
  const seconds span = policy.identity.life + policy.inception_offset;
  return policy.identity.life + std::clamp<seconds>(span / 10, hours(1), hours(24));
}

Result<ZonePolicy> FindZonePolicy(std::string_view name) {
  const auto make = [&](dns::Ttl ttl, SignatureLife life, seconds refresh) {
    auto policy = MakeZonePolicy(std::string(name), {.ttl = ttl, .identity = life});
    IDZONE_INVARIANT(policy.has_value(), "the built-in policies keep their own rules");
    policy->soa_refresh = refresh;
    policy->soa_retry = refresh / 4;
    return *policy;
  };
  if (name == "fast") return make(60, {hours(3), hours(1)}, minutes(10));
  if (name == "standard") return make(300, {hours(72), hours(24)}, hours(1));
  if (name == "relaxed") return make(3600, {hours(240), hours(72)}, hours(4));
  return Fail(Reason::kEnumUnknown, "policy", "fast, standard or relaxed", std::string(name));
}

}  // namespace idzone::zone
