// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/clock_check.h"

#include <algorithm>

#include "services/store/published_clock.h"

namespace idzone::signer::pipeline {
namespace {

std::string Span(std::chrono::seconds span) {
  return std::to_string(span.count()) + " s";
}

std::chrono::seconds SweepPeriod(const zone::ZonePolicy& policy) {
  return std::min(policy.identity.resign, policy.denial.resign);
}

}  // namespace

std::chrono::seconds PauseMax(const zone::ZonePolicy& policy) {
  std::chrono::seconds most{0};
  for (const zone::SignatureLife& each : {policy.identity, policy.denial, policy.apex}) most = std::max(most, each.life - each.resign / 2);
  return most;
}

Result<void> CompareWithDatabase(UnixTime now, UnixTime database, std::chrono::seconds skew_max) {
  if (skew_max.count() == 0 || std::chrono::abs(now - database) <= skew_max) return {};
  return Fail(Reason::kClockDoubt, "clock", "PostgreSQL's, " + FormatTime(database) + ", give or take " + Span(skew_max),
              FormatTime(now) + ": put the wrong one right");
}

Result<void> CompareWithLastSignature(const std::string& zone, const zone::ZonePolicy& policy, UnixTime last_signed, UnixTime now) {
  if (now >= last_signed - kBehindMax && now <= last_signed + PauseMax(policy)) return {};
  return Fail(Reason::kClockDoubt, "zone " + zone,
              "a clock from its last signature, " + FormatTime(last_signed) + ", to " + Span(PauseMax(policy)) + " later",
              FormatTime(now) + ": put the clock right, or say that it is (idzone zone trust-clock)");
}

Result<void> TrustClock(store::Transaction& transaction, const store::ZoneWork& work, ClockWitnesses witnesses, UnixTime now,
                        std::chrono::seconds skew_max) {
  if (auto same = CompareWithDatabase(now, store::ReadDatabaseClock(transaction), skew_max); !same) return same;
  if (!work.zone) return {};
  const zone::ZonePolicy& policy = work.registered.policy;
  const UnixTime last_signed = witnesses == ClockWitnesses::kAllZones ? store::LoadLastSignature(transaction, work.registered.namespace_id)
                                                                      : work.zone->last_signed_at;
  auto near = CompareWithLastSignature(work.registered.apex.Format(), policy, last_signed, now);
  if (near) return near;
  const auto word = store::LoadClockWord(transaction, work.registered.namespace_id, now - kWordHolds);
  if (!word || *word > now + kBehindMax) return near;
  if (now < last_signed) store::RewindZones(transaction, work.registered.namespace_id, now, now - SweepPeriod(policy));
  return {};
}

}  // namespace idzone::signer::pipeline
