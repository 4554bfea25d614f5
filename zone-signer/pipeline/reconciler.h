// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>

#include "services/process/lifecycle.h"
#include "services/process/observatory.h"
#include "services/store/database.h"
#include "services/store/hint_listener.h"
#include "zone-signer/pipeline/delta_sizes.h"
#include "zone-signer/pipeline/key_roll.h"
#include "zone-signer/pipeline/metrics.h"
#include "zone-signer/pipeline/pace.h"

/// The signer's loop. Each round lists what there is to do and then does, in this order and each within a budget: new
/// zones, cuts and revocations; enrollments, oldest first; renewals, the longest overdue first; pruning. A namespace that fails is
/// left alone for a while, the longer the more time it costs again and again, and holds up no other for longer than that; also when it
/// failed of a lock that was not free, or of a statement that took too long: as long as its alarm can be written, PostgreSQL is there. What
/// it has published stays. Any number of signers may run: the lock on the row of a namespace's own zone decides.
namespace idzone::signer::pipeline {

struct ReconcilerOptions {
  std::int64_t batch_max = 4000;
  /// How long one transaction should take: its version keeps each edge busy for a while, and whoever comes next waits.
  std::chrono::milliseconds transaction_target{400};
  /// The same while revocations come: who revokes one device soon revokes the next.
  std::chrono::milliseconds hurried_target{40};
  std::chrono::seconds hurry{5};  // how long after a revocation
  std::chrono::milliseconds poll{200};
  std::chrono::hours journal_keep{0};
  std::int64_t journal_octets_max = 0;
  RollOptions rolls{};
  std::chrono::seconds clock_skew_max{60};  // against PostgreSQL's; 0: not compared
  std::chrono::seconds takeover{60};        // a signer that is that long in one transaction has stopped
};

class Reconciler {
 public:
  struct Parts {
    store::Database& database;
    store::HintListener& listener;
    keys::KeyStore& keys;
    const signing::BatchSigner& signer;
    const Clock& clock;
    process::Observatory& observatory;
    parent::ParentWatch* parent_watch = nullptr;  // none: operators speak for the parents
  };
  Reconciler(Parts parts, ReconcilerOptions options);

  /// Runs until a stop is requested; the transaction under way is finished first.
  void Run(const std::stop_token& stop);

 private:
  using SteadyClock = std::chrono::steady_clock;
  /// Of a namespace, or of the roll of a key set.
  struct Standstill {
    process::Backoff backoff{std::chrono::milliseconds(500), std::chrono::milliseconds(30'000)};
    SteadyClock::time_point retry_at;
    Reason reason = Reason::kInternal;  // of the last failure
    int in_a_row = 0;
  };
  /// Stands for all sets of a namespace.
  static constexpr std::int32_t kAllKeysets = -1;
  using Work = std::function<Result<WorkOutcome>(store::Transaction&, const store::ZoneWork&, const WorkTools&)>;

  /// One round. Returns whether there is more to do at once. An error means that PostgreSQL is not to be had.
  Result<bool> Round(const std::stop_token& stop);
  /// Tries namespaces of which a zone was last signed in the future: they seem to need nothing, and nobody would hear of them.
  Result<void> LookAtTheFuture(const std::vector<store::ZoneWork>& list, UnixTime now);
  Result<bool> DoUrgent(const std::vector<store::ZoneWork>& list, const std::stop_token& stop);
  Result<bool> DoEnrollments(const std::vector<store::ZoneWork>& list, const std::stop_token& stop);
  Result<bool> DoRenewals(const std::vector<store::ZoneWork>& list, const std::stop_token& stop);
  Result<void> Prune();
  /// How long a transaction should take now.
  std::chrono::milliseconds Target() const;
  /// Runs one transaction for one namespace and keeps account of it. Returns whether there is more of the same.
  Result<bool> Do(std::string_view kind, const store::ZoneWork& zone, const Work& work);
  bool MayTry(const store::ZoneWork& zone) const;
  bool MayRoll(const store::KeysetId& keyset) const;
  /// Keeps account of a failure, which took so long, and raises an alarm. Returns whether PostgreSQL is there, so that the round goes on.
  bool GoesOnAfter(const Error& error, std::int32_t namespace_id, Standstill& failure, SteadyClock::duration elapsed);
  /// Takes back the alarms of a namespace, unless something of it stands still.
  void ClearIfWell(std::int32_t namespace_id);
  /// Drops failures of what has nothing left to do: another signer did it.
  void ForgetOldFailures();
  /// Requires: all rolls that there are, ascending.
  void ForgetOldRollFailures(const std::vector<store::RollWork>& rolls);
  /// In doubt, all zones of a namespace are asked.
  ClockWitnesses WitnessesFor(std::int32_t namespace_id) const;
  /// Lists the due zones of the namespaces that may be tried.
  Result<std::vector<store::DueZone>> ListDue(const std::vector<store::ZoneWork>& list);
  /// Takes, now and then, the next steps of key rolls.
  Result<void> DoKeyRolls(const std::vector<store::ZoneWork>& list);
  Result<void> StepRoll(const store::ZoneWork& work, const store::RollWork& roll);
  /// Raises an alarm where operators look, or takes back what was raised; says whether that could be written.
  bool Tell(std::int32_t namespace_id, const std::optional<Error>& error);
  /// Ends what other signers left behind when they stopped in the middle of a transaction.
  Result<void> TakeOver();
  /// Looks, now and then, whether keys can be had; tries again at once what waited for them. What needs no key goes on.
  void LookAtKeys();
  /// Says what keeps the signer from its work as a whole, empty: nothing.
  std::string Trouble();
  /// Says what is wrong with the clock, empty: nothing; reports it now and then.
  std::string ClockTrouble();
  void Observe(const std::vector<store::ZoneWork>& list);

  Parts parts_;
  ReconcilerOptions options_;
  Metrics metrics_;
  /// A kind of work that gives way to revocations, in no namespace twice in a row: none is starved by them.
  struct Lane {
    Pace pace;
    std::set<std::int32_t> gave_up{};  // namespaces whose last transaction it was
  };
  Lane changes_;   // its pace: identities in a transaction
  Lane renewals_;  // nodes
  std::optional<SteadyClock::time_point> revoked_at_;
  std::vector<std::int32_t> left_alone_;                 // namespaces whose revocations have to wait for something else
  bool revocation_came_ = false;                         // in this round, which ends with that
  std::map<std::int32_t, Standstill> failures_;          // by namespace
  std::map<store::KeysetId, Standstill> roll_failures_;  // of kAllKeysets, too
  DeltaSizes delta_sizes_;
  SteadyClock::time_point next_prune_;
  SteadyClock::time_point next_key_look_;
  store::KeysetId last_roll_;  // the last one that a look came to
  bool met_busy_ = false;      // since the last take-over: another signer had a zone
  SteadyClock::time_point next_takeover_;
  std::set<std::int32_t> of_the_future_;  // namespaces of which a zone was last signed in the future, when that was looked for last
  SteadyClock::time_point next_future_look_;
  std::optional<Error> clock_error_;  // of the last comparison with PostgreSQL's clock
  bool clock_alarm_ = true;           // its alarm may stand, from an earlier process at first
  std::optional<Error> key_error_;    // of the last look at the keys
  SteadyClock::time_point next_token_look_;
  SteadyClock::time_point next_key_report_;
  std::set<std::int32_t> well_;  // namespaces that this process has worked on
  SteadyClock::time_point next_clock_report_;
};

}  // namespace idzone::signer::pipeline
