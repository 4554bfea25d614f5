// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/reconciler.h"

#include <algorithm>
#include <utility>

#include "services/process/log.h"
#include "services/store/published_alarm.h"
#include "services/store/published_clock.h"
#include "zone-signer/pipeline/clock_check.h"
#include "zone-signer/pipeline/zone_creation.h"

namespace idzone::signer::pipeline {
namespace {

using process::Log;
using process::LogError;
using process::LogLevel;

/// How long enrollments, and then renewals, may take in one round before revocations are looked for again. Each gets at
/// least one transaction, unless they give way: then the round is over, and in the next one they do not.
constexpr std::chrono::milliseconds kEnrollmentBudget(100);
constexpr std::chrono::milliseconds kRenewalBudget(100);
constexpr std::chrono::milliseconds kRollBudget(100);
constexpr std::chrono::seconds kBetweenPrunes(10);
constexpr std::chrono::seconds kBetweenKeyLooks(1);
constexpr std::chrono::seconds kBetweenFutureLooks(5);  // all zones are looked at, without an index: one would move with every version
constexpr std::chrono::milliseconds kReconnectFirst(200);
constexpr std::chrono::milliseconds kReconnectLast(5'000);

/// Who put something into the queue while work of before was in it gave no hint, and may not have committed when the work was done.
constexpr std::chrono::milliseconds kSecondLook(20);

/// Zones that are renewed in one transaction, and that are looked for in one round.
constexpr std::size_t kZonesRenewedAtOnce = 64;
constexpr std::int64_t kDueZonesMax = 512;

bool CutsMissing(const store::ZoneWork& work) {
  return work.zone && work.zone->cuts_made < work.cuts_wanted;
}

}  // namespace

Reconciler::Reconciler(Parts parts, ReconcilerOptions options)
    : parts_(parts),
      options_(options),
      metrics_(parts.observatory.registry()),
      changes_{Pace(options.batch_max, options.transaction_target)},
      renewals_{Pace(options.batch_max, options.transaction_target)} {}

void Reconciler::Run(const std::stop_token& stop) {
  process::Backoff backoff(kReconnectFirst, kReconnectLast);
  bool worked = false;
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
    if (const std::string trouble = Trouble(); trouble.empty()) {
      parts_.observatory.SetReady();
    } else {
      parts_.observatory.SetNotReady(trouble);
    }
    if (!*more && !stop.stop_requested()) parts_.listener.Wait(worked ? std::min(options_.poll, kSecondLook) : options_.poll);
    worked = *more;
  }
}

Result<bool> Reconciler::Round(const std::stop_token& stop) {
  revocation_came_ = false;
  UnixTime database_clock;
  const auto list = parts_.database.Transact("list work", [&](store::Transaction& transaction) {
    database_clock = store::ReadDatabaseClock(transaction);
    return store::ListZoneWork(transaction);
  });
  if (!list) return tl::unexpected(list.error());
  Observe(*list);
  ForgetOldFailures();
  left_alone_.clear();
  for (const store::ZoneWork& zone : *list) {
    if (!zone.zone || CutsMissing(zone) || !MayTry(zone)) left_alone_.push_back(zone.registered.namespace_id);
  }
  const UnixTime now = parts_.clock.Now();
  metrics_.SetClockSkew(now - database_clock);
  clock_error_.reset();
  if (auto same = CompareWithDatabase(now, database_clock, options_.clock_skew_max); !same) {
    clock_error_ = same.error();
    clock_alarm_ = true;
    return false;
  }
  if (std::exchange(clock_alarm_, false)) Tell(store::kAllNamespaces, std::nullopt);
  LookAtKeys();
  if (auto taken = TakeOver(); !taken) return tl::unexpected(taken.error());
  if (auto looked = LookAtTheFuture(*list, now); !looked) return tl::unexpected(looked.error());
  const auto urgent = DoUrgent(*list, stop);
  if (!urgent) return urgent;
  const auto enrollments = DoEnrollments(*list, stop);
  if (!enrollments || revocation_came_) return enrollments;
  if (auto rolled = DoKeyRolls(*list); !rolled) return tl::unexpected(rolled.error());
  const auto renewals = DoRenewals(*list, stop);
  if (!renewals) return renewals;
  if (auto pruned = Prune(); !pruned) return tl::unexpected(pruned.error());
  return *urgent || *enrollments || *renewals;
}

ClockWitnesses Reconciler::WitnessesFor(std::int32_t namespace_id) const {
  const auto failure = failures_.find(namespace_id);
  const bool doubted = failure != failures_.end() && failure->second.reason == Reason::kClockDoubt;
  return doubted || of_the_future_.contains(namespace_id) ? ClockWitnesses::kAllZones : ClockWitnesses::kOwnZone;
}

Result<void> Reconciler::LookAtTheFuture(const std::vector<store::ZoneWork>& list, UnixTime now) {
  if (SteadyClock::now() >= next_future_look_) {
    next_future_look_ = SteadyClock::now() + kBetweenFutureLooks;
    auto found = parts_.database.Transact("look at the future", [&](store::Transaction& transaction) -> Result<std::set<std::int32_t>> {
      return store::ListSignedAfter(transaction, now + kBehindMax);
    });
    if (!found) return tl::unexpected(found.error());
    of_the_future_ = *std::move(found);
  }
  for (const store::ZoneWork& zone : list) {
    if (!zone.zone || !of_the_future_.contains(zone.registered.namespace_id) || !MayTry(zone)) continue;
    const auto done = Do("renew", zone, [](store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
      return RenewSignatures(transaction, work, {work.zone->zone_id}, tools);
    });
    if (!done) return tl::unexpected(done.error());
    // With an operator's word: its times are taken back, of all its zones.
    if (!failures_.contains(zone.registered.namespace_id)) of_the_future_.erase(zone.registered.namespace_id);
  }
  return {};
}

Result<bool> Reconciler::DoUrgent(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  bool more = false;
  for (const store::ZoneWork& zone : list) {
    if (stop.stop_requested()) break;
    if (!MayTry(zone) || (zone.zone && !zone.oldest_revocation && !CutsMissing(zone))) continue;
    const auto done = !zone.zone          ? Do("create", zone, CreateZone)
                      : CutsMissing(zone) ? Do("cut", zone, MakeCuts)
                                          : Do("change", zone, PublishChanges);
    if (!done) return done;
    if (zone.oldest_revocation) revoked_at_ = SteadyClock::now();
    // A new zone may have enrollments waiting, which this list could not show under a zone.
    more = more || *done || !zone.zone || CutsMissing(zone);
  }
  return more;
}

Result<bool> Reconciler::DoEnrollments(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  std::vector<const store::ZoneWork*> waiting;
  for (const store::ZoneWork& zone : list) {
    // Names wait for their zones.
    if (zone.zone && zone.oldest_enrollment && !CutsMissing(zone) && MayTry(zone)) waiting.push_back(&zone);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const auto* left, const auto* right) { return *left->oldest_enrollment < *right->oldest_enrollment; });
  const auto end = SteadyClock::now() + kEnrollmentBudget;
  bool more = false;
  for (const store::ZoneWork* zone : waiting) {
    const auto done = Do("change", *zone, PublishChanges);
    if (!done) return done;
    more = more || *done;
    if (SteadyClock::now() >= end || stop.stop_requested() || revocation_came_) return true;
  }
  return more;
}

Result<std::vector<store::DueZone>> Reconciler::ListDue(const std::vector<store::ZoneWork>& list) {
  std::vector<std::int32_t> left_alone;
  for (const store::ZoneWork& zone : list) {
    if (!MayTry(zone)) left_alone.push_back(zone.registered.namespace_id);
  }
  const UnixTime now = parts_.clock.Now();
  return parts_.database.Transact("list due zones", [&](store::Transaction& transaction) -> Result<std::vector<store::DueZone>> {
    return store::ListDueZones(transaction, now, left_alone, kDueZonesMax);
  });
}

Result<bool> Reconciler::DoRenewals(const std::vector<store::ZoneWork>& list, const std::stop_token& stop) {
  const auto end = SteadyClock::now() + kRenewalBudget;
  const auto due = ListDue(list);
  if (!due) return tl::unexpected(due.error());
  metrics_.SetSweepLag(due->empty() ? std::chrono::seconds(0) : parts_.clock.Now() - due->front().renew_at);
  std::map<std::int32_t, const store::ZoneWork*> by_namespace;
  for (const store::ZoneWork& zone : list) {
    if (zone.zone) by_namespace.emplace(zone.registered.namespace_id, &zone);
  }
  bool more = static_cast<std::int64_t>(due->size()) == kDueZonesMax;
  for (std::size_t next = 0; next < due->size() && !stop.stop_requested() && !revocation_came_;) {
    // Those of one namespace that follow each other go together.
    const std::int32_t namespace_id = (*due)[next].namespace_id;
    std::vector<std::int32_t> zone_ids;
    for (; next < due->size() && (*due)[next].namespace_id == namespace_id && zone_ids.size() < kZonesRenewedAtOnce; ++next)
      zone_ids.push_back((*due)[next].zone_id);
    const auto zone = by_namespace.find(namespace_id);
    if (zone == by_namespace.end() || !MayTry(*zone->second)) continue;
    const auto done = Do("renew", *zone->second, [&](store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools) {
      return RenewSignatures(transaction, work, zone_ids, tools);
    });
    if (!done) return done;
    more = more || *done;
    if (SteadyClock::now() >= end) return more || next < due->size();
  }
  return more;
}

Result<void> Reconciler::DoKeyRolls(const std::vector<store::ZoneWork>& list) {
  if (SteadyClock::now() < next_key_look_) return {};
  const UnixTime now = parts_.clock.Now();
  auto rolls = parts_.database.Transact("list rolls", [&](store::Transaction& transaction) -> Result<std::vector<store::RollWork>> {
    return store::ListRollWork(transaction, now);
  });
  if (!rolls) return tl::unexpected(rolls.error());
  ForgetOldRollFailures(*rolls);
  // Thousands of zones may roll keys of their own: the next look goes on where this one ends.
  const auto end = SteadyClock::now() + kRollBudget;
  const auto after = std::upper_bound(rolls->begin(), rolls->end(), last_roll_,
                                      [](const store::KeysetId& last, const store::RollWork& roll) { return last < roll.keyset; });
  std::rotate(rolls->begin(), after, rolls->end());
  for (const store::RollWork& roll : *rolls) {
    const auto work = std::find_if(list.begin(), list.end(),
                                   [&](const auto& entry) { return entry.registered.namespace_id == roll.keyset.namespace_id; });
    if (work == list.end() || !work->zone || !MayRoll(roll.keyset)) continue;
    last_roll_ = roll.keyset;
    if (auto stepped = StepRoll(*work, roll); !stepped) return stepped;
    if (SteadyClock::now() >= end) break;
  }
  next_key_look_ = SteadyClock::now() + kBetweenKeyLooks;
  return {};
}

Result<void> Reconciler::StepRoll(const store::ZoneWork& work, const store::RollWork& roll) {
  const std::int32_t namespace_id = work.registered.namespace_id;
  const std::string name = work.registered.apex.Format();
  const SteadyClock::time_point begun = SteadyClock::now();
  std::optional<parent::ParentSight> parent;
  if (roll.asks_parent && parts_.parent_watch != nullptr) parent = parts_.parent_watch->Look(work.registered.apex);
  const RollTools tools{parts_.keys, options_.rolls, std::move(parent), parts_.clock.Now()};
  const auto outcome = parts_.database.Transact("roll", [&](store::Transaction& transaction) -> Result<RollOutcome> {
    const auto witnesses = WitnessesFor(namespace_id);
    if (auto trusted = TrustClock(transaction, work, witnesses, tools.now, options_.clock_skew_max); !trusted)
      return tl::unexpected(trusted.error());
    return StepKeyRoll(transaction, work, roll.keyset.zone_id, tools);
  });
  if (!outcome) {
    const Error& error = outcome.error();
    LogError(LogLevel::kError, "signer.roll_failed", error, {{"namespace", name}, {"keys", roll.keyset.zone_id}});
    // What keeps one set's step from its end in time would keep the others of the namespace, which may be thousands.
    const store::KeysetId held{namespace_id, error.reason == Reason::kUnavailable ? kAllKeysets : roll.keyset.zone_id};
    if (GoesOnAfter(error, namespace_id, roll_failures_[held], SteadyClock::now() - begun)) return {};
    roll_failures_.erase(held);
    return tl::unexpected(error);
  }
  if (outcome->busy) return {};
  if (roll_failures_.erase(roll.keyset) + roll_failures_.erase({namespace_id, kAllKeysets}) > 0) ClearIfWell(namespace_id);
  if (outcome->scheduled) Log(LogLevel::kInfo, "signer.roll_scheduled", {{"namespace", name}, {"keys", roll.keyset.zone_id}});
  for (const Error& refused : outcome->refused) LogError(LogLevel::kError, "signer.roll_refused", refused, {{"namespace", name}});
  for (const rollover::Action action : outcome->actions) {
    Log(LogLevel::kInfo, "signer.roll_step",
        {{"namespace", name},
         {"action", rollover::ActionName(action)},
         {"phase", outcome->roll ? rollover::PhaseName(outcome->roll->phase) : "done"}});
  }
  return {};
}

std::chrono::milliseconds Reconciler::Target() const {
  const bool hurried = revoked_at_ && SteadyClock::now() - *revoked_at_ < options_.hurry;
  return hurried ? std::min(options_.hurried_target, options_.transaction_target) : options_.transaction_target;
}

Result<bool> Reconciler::Do(std::string_view kind, const store::ZoneWork& zone, const Work& work) {
  const UnixTime now = parts_.clock.Now();
  const bool renews = kind == "renew";
  Lane& lane = renews ? renewals_ : changes_;
  lane.pace.Aim(Target());
  const std::int32_t namespace_id = zone.registered.namespace_id;
  WorkTools tools{parts_.keys, parts_.signer, std::min(lane.pace.size(), delta_sizes_.NamesThatFit(namespace_id)), now};
  if (!lane.gave_up.contains(namespace_id)) tools.gives_way = GiveWay{left_alone_};
  const SteadyClock::time_point begun = SteadyClock::now();
  const std::string name = zone.registered.apex.Format();
  const auto outcome = parts_.database.Transact(kind, [&](store::Transaction& transaction) -> Result<WorkOutcome> {
    if (auto trusted = TrustClock(transaction, zone, WitnessesFor(namespace_id), now, options_.clock_skew_max); !trusted)
      return tl::unexpected(trusted.error());
    return work(transaction, zone, tools);
  });
  if (!outcome && outcome.error().reason == Reason::kCancelled) {
    revocation_came_ = true;
    lane.gave_up.insert(namespace_id);
    metrics_.CountGivenUp();
    return true;
  }
  if (!outcome) {
    const Error& error = outcome.error();
    LogError(LogLevel::kError, error.reason == Reason::kClockDoubt ? "signer.clock_doubted" : "signer.zone_failed", error,
             {{"zone", name}, {"kind", kind}});
    const SteadyClock::duration elapsed = SteadyClock::now() - begun;
    if (error.reason == Reason::kUnavailable) lane.pace.Failed(tools.batch_max, elapsed);
    if (GoesOnAfter(error, namespace_id, failures_[namespace_id], elapsed)) return false;
    failures_.erase(namespace_id);
    return tl::unexpected(error);
  }
  met_busy_ = met_busy_ || outcome->busy;
  if (outcome->busy) return false;
  if (renews || (outcome->identities > 0 && !outcome->revoked)) lane.gave_up.erase(namespace_id);
  // The first success of this process, too, takes back what an earlier one may have raised.
  const bool news = well_.insert(namespace_id).second;
  if (failures_.erase(namespace_id) > 0 || news) ClearIfWell(namespace_id);
  if (outcome->least_rest) metrics_.SetLeastRest(*outcome->least_rest);
  const std::int64_t names = renews ? outcome->publication.nodes : outcome->identities;
  lane.pace.Took(tools.batch_max, names, SteadyClock::now() - begun);
  delta_sizes_.Learn(namespace_id, names, outcome->publication.largest_delta);
  metrics_.CountWork(kind, *outcome, now);
  for (const Error& refused : outcome->refused) LogError(LogLevel::kError, "signer.identity_refused", refused, {{"zone", name}});
  if (outcome->published()) {
    Log(LogLevel::kInfo, "signer.version_published",
        {{"zone", name},
         {"kind", kind},
         {"zones", outcome->publication.versions},
         {"serial", outcome->position.serial},
         {"identities", outcome->identities},
         {"nodes", outcome->publication.nodes},
         {"signatures", outcome->publication.signatures},
         {"plan_us", outcome->planning.count()},
         {"sign_us", outcome->publication.signing.count()},
         {"write_us", outcome->publication.writing.count()}});
  }
  // What was queued while this batch was under way was not announced, because the queue was not empty: look again at once.
  return outcome->more || outcome->identities > 0;
}

Result<void> Reconciler::TakeOver() {
  if (!met_busy_ || SteadyClock::now() < next_takeover_) return {};
  met_busy_ = false;
  next_takeover_ = SteadyClock::now() + options_.takeover / 4;
  const auto ended = parts_.database.Transact("take over", [&](store::Transaction& transaction) -> Result<std::int64_t> {
    return store::EndStuckSessions(transaction, options_.takeover);
  });
  if (!ended) return tl::unexpected(ended.error());
  if (*ended > 0) {
    metrics_.CountTakeovers(*ended);
    Log(LogLevel::kWarning, "signer.took_over", {{"sessions", *ended}, {"longer_than_s", options_.takeover.count()}});
  }
  return {};
}

Result<void> Reconciler::Prune() {
  if (SteadyClock::now() < next_prune_) return {};
  next_prune_ = SteadyClock::now() + kBetweenPrunes;
  const store::JournalLimits limits{options_.journal_keep, options_.journal_octets_max};
  const UnixTime kept_since = parts_.clock.Now() - options_.journal_keep;
  return parts_.database.Transact("prune", [&](store::Transaction& transaction) -> Result<void> {
    if (store::RotateJournal(transaction, limits)) Log(LogLevel::kInfo, "signer.journal_rotated");
    store::PruneBatches(transaction, kept_since);
    return {};
  });
}

void Reconciler::Observe(const std::vector<store::ZoneWork>& list) {
  const UnixTime now = parts_.clock.Now();
  std::chrono::seconds revocation{0}, enrollment{0};
  for (const store::ZoneWork& zone : list) {
    if (zone.oldest_revocation) revocation = std::max(revocation, now - *zone.oldest_revocation);
    if (zone.oldest_enrollment) enrollment = std::max(enrollment, now - *zone.oldest_enrollment);
  }
  metrics_.SetQueue("revocation", revocation);
  metrics_.SetQueue("enrollment", enrollment);
  const auto doubted =
      std::count_if(failures_.begin(), failures_.end(), [](const auto& entry) { return entry.second.reason == Reason::kClockDoubt; });
  metrics_.SetZones(list.size(), failures_.size(), static_cast<std::size_t>(doubted));
}

}  // namespace idzone::signer::pipeline
