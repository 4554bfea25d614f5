// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/reconciler.h"

#include <algorithm>

#include "services/process/log.h"
#include "zone-signer/pipeline/sweep.h"

namespace idzone::signer::pipeline {
namespace {

using process::Log;
using process::LogError;
using process::LogLevel;

/// How long enrollments, and then renewals, may take in one round before revocations are looked for again. Each gets at
/// least one transaction, so that neither starves.
constexpr std::chrono::milliseconds kEnrollmentBudget(400);
constexpr std::chrono::milliseconds kRenewalBudget(200);
constexpr std::chrono::seconds kBetweenPrunes(10);
constexpr std::chrono::milliseconds kReconnectFirst(200);
constexpr std::chrono::milliseconds kReconnectLast(5'000);

Result<WorkOutcome> Create(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
  return CreateZone(transaction, work.registered, tools);
}

std::chrono::seconds SweepPeriod(const store::ZoneWork& work) {
  const auto policy = zone::FindZonePolicy(work.registered.policy);
  return policy ? std::min(policy->identity.resign, policy->denial.resign) : std::chrono::seconds::max();
}

}  // namespace

Reconciler::Reconciler(Parts parts, ReconcilerOptions options) : parts_(parts), options_(options), metrics_(parts.observatory.registry()) {}

void Reconciler::Run(const std::stop_token& stop) {
  process::Backoff backoff(kReconnectFirst, kReconnectLast);
  while (!stop.stop_requested()) {
    const auto more = Round(stop);
    if (!more) {
      parts_.observatory.SetNotReady("database: " + std::string(ReasonName(more.error().reason)));
      LogError(LogLevel::kWarning, "signer.round_failed", more.error());
      metrics_.CountFailure(more.error().reason);
      process::SleepFor(stop, backoff.Next());
      continue;
    }
    backoff.Reset();
    parts_.observatory.SetReady();
    if (!*more && !stop.stop_requested()) parts_.listener.Wait(options_.poll);
  }
}

Result<bool> Reconciler::Round(const std::stop_token& stop) {
  const auto list = parts_.database.Transact("list work", [](store::Transaction& transaction) { return store::ListZoneWork(transaction); });
  if (!list) return tl::unexpected(list.error());
  Observe(*list);
  const auto urgent = DoUrgent(*list, stop);
  if (!urgent) return urgent;
  const auto enrollments = DoEnrollments(*list, stop);
  if (!enrollments) return enrollments;
  const auto renewals = DoRenewals(*list, stop);
  if (!renewals) return renewals;
  if (auto pruned = Prune(*list); !pruned) return tl::unexpected(pruned.error());
  return *urgent || *enrollments || *renewals;
}

Result<bool> Reconciler::DoUrgent(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  bool more = false;
  for (const store::ZoneWork& zone : list) {
    if (stop.stop_requested()) break;
    if (!MayTry(zone) || (zone.zone && !zone.oldest_revocation)) continue;
    const auto done = zone.zone ? Do("change", zone, PublishChanges) : Do("create", zone, Create);
    if (!done) return done;
    // A new zone may have enrollments waiting, which this list could not show under a zone.
    more = more || *done || !zone.zone;
  }
  return more;
}

Result<bool> Reconciler::DoEnrollments(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  std::vector<const store::ZoneWork*> waiting;
  for (const store::ZoneWork& zone : list) {
    // A zone with revocations had its turn, and its enrollments went along as far as they fitted.
    if (zone.zone && zone.oldest_enrollment && !zone.oldest_revocation && MayTry(zone)) waiting.push_back(&zone);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const auto* left, const auto* right) { return *left->oldest_enrollment < *right->oldest_enrollment; });
  const auto end = SteadyClock::now() + kEnrollmentBudget;
  bool more = false;
  for (const store::ZoneWork* zone : waiting) {
    const auto done = Do("change", *zone, PublishChanges);
    if (!done) return done;
    more = more || *done;
    if (SteadyClock::now() >= end || stop.stop_requested()) return true;
  }
  return more;
}

Result<bool> Reconciler::DoRenewals(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  const auto end = SteadyClock::now() + kRenewalBudget;
  bool more = false;
  // Every zone in turn, beginning where the last round ran out of time.
  for (std::size_t i = 0; i < list.size() && !stop.stop_requested(); ++i) {
    const store::ZoneWork& zone = list[(renewal_turn_ + i) % list.size()];
    if (!zone.zone || !MayTry(zone) || !RenewalDue(zone)) continue;
    const auto done = Do("renew", zone, RenewSignatures);
    if (!done) return done;
    more = more || *done;
    if (SteadyClock::now() < end) continue;
    renewal_turn_ = (renewal_turn_ + i + 1) % list.size();
    return true;
  }
  return more;
}

bool Reconciler::RenewalDue(const store::ZoneWork& zone) const {
  const UnixTime now = parts_.clock.Now();
  const auto due = apex_due_.find(zone.registered.namespace_id);
  if (due == apex_due_.end() || now >= due->second) return true;
  const auto policy = zone::FindZonePolicy(zone.registered.policy);
  if (policy && now - zone.zone->last_signed_at >= policy->apex.resign) return true;
  const SweepLimits limits{.period = SweepPeriod(zone), .node_count = zone.zone->node_count, .nodes_max = options_.batch_max};
  return NextSweepStep({zone.zone->resign_key, zone.zone->resign_round}, limits, now).has_value();
}

Result<bool> Reconciler::Do(std::string_view kind, const store::ZoneWork& zone, Work work) {
  const UnixTime now = parts_.clock.Now();
  const WorkTools tools{parts_.keys, parts_.signer, options_.batch_max, now};
  const std::string name = zone.registered.apex.Format();
  const auto outcome = parts_.database.Transact(kind, [&](store::Transaction& transaction) { return work(transaction, zone, tools); });
  if (!outcome) {
    if (outcome.error().reason == Reason::kUnavailable) return tl::unexpected(outcome.error());
    ZoneFailure& failure = failures_[zone.registered.namespace_id];
    failure.clock_doubt = outcome.error().reason == Reason::kClockDoubt;
    failure.retry_at = SteadyClock::now() + failure.backoff.Next();
    metrics_.CountFailure(outcome.error().reason);
    LogError(LogLevel::kError, failure.clock_doubt ? "signer.clock_doubted" : "signer.zone_failed", outcome.error(),
             {{"zone", name}, {"kind", kind}});
    return false;
  }
  failures_.erase(zone.registered.namespace_id);
  if (outcome->busy) return false;
  if (outcome->apex_due) apex_due_[zone.registered.namespace_id] = *outcome->apex_due;
  if (outcome->least_rest) metrics_.SetLeastRest(*outcome->least_rest);
  metrics_.CountWork(kind, *outcome, now);
  for (const Error& refused : outcome->refused) LogError(LogLevel::kError, "signer.identity_refused", refused, {{"zone", name}});
  if (outcome->published) {
    Log(LogLevel::kInfo, "signer.version_published",
        {{"zone", name},
         {"kind", kind},
         {"serial", outcome->position.serial},
         {"identities", outcome->identities},
         {"nodes", outcome->nodes},
         {"signatures", outcome->publication.signatures},
         {"plan_us", outcome->planning.count()},
         {"sign_us", outcome->publication.signing.count()},
         {"write_us", outcome->publication.writing.count()}});
  }
  // What was queued while this batch was under way was not announced, because the queue was not empty: look again at once.
  return outcome->more || outcome->identities > 0;
}

bool Reconciler::MayTry(const store::ZoneWork& zone) const {
  const auto failure = failures_.find(zone.registered.namespace_id);
  return failure == failures_.end() || SteadyClock::now() >= failure->second.retry_at;
}

Result<void> Reconciler::Prune(const std::vector<store::ZoneWork>& list) {
  if (SteadyClock::now() < next_prune_) return {};
  next_prune_ = SteadyClock::now() + kBetweenPrunes;
  const UnixTime kept_since = parts_.clock.Now() - options_.journal_keep;
  const store::JournalLimits limits{options_.journal_keep_versions, kept_since};
  return parts_.database.Transact("prune", [&](store::Transaction& transaction) -> Result<void> {
    for (const store::ZoneWork& zone : list) {
      if (zone.zone) store::PruneVersions(transaction, zone.zone->zone_id, zone.zone->position, limits);
    }
    store::PruneBatches(transaction, kept_since);
    return {};
  });
}

void Reconciler::Observe(const std::vector<store::ZoneWork>& list) {
  const UnixTime now = parts_.clock.Now();
  std::chrono::seconds revocation{0}, enrollment{0}, lag{0};
  for (const store::ZoneWork& zone : list) {
    if (zone.oldest_revocation) revocation = std::max(revocation, now - *zone.oldest_revocation);
    if (zone.oldest_enrollment) enrollment = std::max(enrollment, now - *zone.oldest_enrollment);
    if (zone.zone) lag = std::max(lag, SweepLag({zone.zone->resign_key, zone.zone->resign_round}, SweepPeriod(zone), now));
  }
  metrics_.SetQueue("revocation", revocation);
  metrics_.SetQueue("enrollment", enrollment);
  metrics_.SetSweepLag(lag);
  const auto doubted = std::count_if(failures_.begin(), failures_.end(), [](const auto& entry) { return entry.second.clock_doubt; });
  metrics_.SetZones(list.size(), failures_.size(), static_cast<std::size_t>(doubted));
}

}  // namespace idzone::signer::pipeline
