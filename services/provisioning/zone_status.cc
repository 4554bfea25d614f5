// SPDX-License-Identifier: MIT
#include "services/provisioning/zone_status.h"

#include <algorithm>

#include "services/core/zone/secondary.h"

namespace idzone::provisioning {
namespace {

using std::chrono::seconds;

constexpr seconds kRevocationWaitMax(60);
constexpr seconds kEnrollmentWaitMax(300);

std::string Span(seconds span) {
  return std::to_string(span.count()) + " s";
}

seconds MarginOf(const zone::ZonePolicy& policy) {
  return std::min({policy.identity.life - 2 * policy.identity.resign, policy.denial.life - 2 * policy.denial.resign,
                   policy.apex.life - 2 * policy.apex.resign});
}

}  // namespace

std::vector<std::string> ProblemsOf(const store::ZoneStatusRecord& status) {
  std::vector<std::string> problems;
  for (const store::AlarmRecord& alarm : status.alarms) problems.push_back(alarm.reason + " " + alarm.detail);
  const auto look_at_queue = [&](const char* what, const std::optional<UnixTime>& oldest, seconds most) {
    if (oldest && status.now - *oldest > most)
      problems.push_back(std::string(what) + " has waited for " + Span(status.now - *oldest) + ", more than " + Span(most));
  };
  look_at_queue("a revocation", status.oldest_revocation, kRevocationWaitMax);
  look_at_queue("an enrollment", status.oldest_enrollment, kEnrollmentWaitMax);
  const seconds period = std::min({status.policy.identity.resign, status.policy.denial.resign, status.policy.apex.resign});
  if (status.now - status.renew_at > period / 8)
    problems.push_back("signing again is " + Span(status.now - status.renew_at) + " late, more than " + Span(period / 8));
  if (const seconds rest = status.first_expiry - status.now; rest < MarginOf(status.policy))
    problems.push_back("a signature has " + Span(rest) + " to live, less than " + Span(MarginOf(status.policy)));
  const auto bound = SecondaryBoundOf(status);
  if (bound && zone::IsTooSlowForSecondaries(status.policy.ttl, *bound))
    problems.push_back("foreign secondaries serve what was revoked for up to " + Span(*bound) +
                       " after the edges, longer than the TTL of policy " + status.policy.name +
                       ": the zone is too large for it, or their notify period too long");
  return problems;
}

std::optional<seconds> SecondaryBoundOf(const store::ZoneStatusRecord& status) {
  if (status.secondaries.empty()) return std::nullopt;
  seconds period(0);
  for (const store::SecondaryRecord& secondary : status.secondaries) period = std::max(period, secondary.notify_period);
  return zone::SecondaryRevocationBound(period, status.node_count);
}

}  // namespace idzone::provisioning
