// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/core/base/clock.h"
#include "services/core/dns/denial.h"

/// The re-signing sweep: once in every period R it passes through the zone in sweep order (store/published_store.h): by
/// hash, in NSEC zones too. Hashes are spread evenly, so the share of their space that is behind the sweep is the share of
/// R that is over, and no node has to be counted or found by the age of its signatures. A name keeps its place, so that
/// the sweep meets it at the same time of each round, whatever comes and goes around it. Pure.
///
/// A signature that is younger than R/2 when the sweep meets it stays: it is then younger than 3R/2 at the next
/// meeting, and a bulk enrollment is not signed twice on its first day.
namespace idzone::signer::pipeline {

struct SweepState {
  Octets position;       // the last place behind the sweep; empty at the beginning
  UnixTime round_start;  // when this round began
};

struct SweepLimits {
  std::chrono::seconds period;  // R
  std::int64_t node_count;      // of the zone
  std::int64_t nodes_max;       // that one step signs
};

/// What one step covers: after < place <= through.
struct SweepStep {
  Octets after;
  Octets through;
  bool ends_round = false;
};

/// Returns the step that is due, or nothing. A step is due when it covers 1/256 of the zone or a full batch: a version
/// for each node would cost more in SOA signatures than the sweep itself. A zone of few names has as many steps as names, and
/// 16 at least: most of 256 would find nothing, and a namespace may have thousands of such zones.
std::optional<SweepStep> NextSweepStep(const SweepState& state, const SweepLimits& limits, UnixTime now);

/// Returns the first moment at which a step is due.
UnixTime NextSweepTime(const SweepState& state, const SweepLimits& limits);

/// Returns the state after a step that ended at `last_place` (empty: it covered all of its range).
/// After a long pause the rounds that were missed are not made up for: the next begins at most one period ago.
SweepState AfterSweepStep(const SweepState& state, const SweepStep& step, const Octets& last_place, std::chrono::seconds period,
                          UnixTime now);

/// Returns how far the sweep is behind its schedule.
std::chrono::seconds SweepLag(const SweepState& state, std::chrono::seconds period, UnixTime now);

/// Says whether a signature of that (negative) age is of a time that is not yet: a clock was wrong, not a little ahead.
bool IsOfTheFuture(std::chrono::seconds signature_age);

/// Says whether a signature of that age is made again when the sweep meets it. One of the future is, because it may not be
/// valid yet.
bool SweepRenews(std::chrono::seconds signature_age, std::chrono::seconds period);

}  // namespace idzone::signer::pipeline
