// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/zone/policy.h"
#include "services/store/published_store.h"

/// Whether the signer's clock may be believed. A signature made by a wrong clock is one that nobody else takes for valid, or one that
/// outlives what it should: so in doubt nothing is signed, what is published stays, and somebody is called.
///
/// Two other clocks are asked: PostgreSQL's, and the zone's last signature. When PostgreSQL's differs, one of the two hosts has to be
/// put right. When the last signature lies in the future, or further back than any outage that the policy tolerates, an operator has
/// to say which it is: a clock that is right (`idzone zone trust-clock`), or one that has to be put right.
/// Errors: CLOCK_DOUBT.
namespace idzone::signer::pipeline {

/// How far the clock may be behind a zone's last signature: signers on several hosts are never quite alike.
inline constexpr std::chrono::minutes kBehindMax(1);
/// For how long an operator's word on the clock holds.
inline constexpr std::chrono::hours kWordHolds(1);

/// Returns after how long without a new signature (at the latest one is due after the re-sign period) the clock is doubted: then the
/// oldest signatures have expired, if the clock is right.
std::chrono::seconds PauseMax(const zone::ZonePolicy& policy);

/// Compares with PostgreSQL's clock. `skew_max` 0: not at all.
Result<void> CompareWithDatabase(UnixTime now, UnixTime database, std::chrono::seconds skew_max);

/// Compares with a zone's last signature.
Result<void> CompareWithLastSignature(const std::string& zone, const zone::ZonePolicy& policy, UnixTime last_signed, UnixTime now);

/// The zones of a namespace whose last signatures are looked at.
enum class ClockWitnesses {
  kOwnZone,
  kAllZones,  // once there is a doubt: those below cuts may have been signed alone while the clock was wrong
};

/// Both, for the namespace that a transaction is about to work on, at the time that it is going to sign with. With an operator's word a
/// last signature in the future is taken back, in all zones: everything is signed again.
Result<void> TrustClock(store::Transaction& transaction, const store::ZoneWork& work, ClockWitnesses witnesses, UnixTime now,
                        std::chrono::seconds skew_max);

}  // namespace idzone::signer::pipeline
