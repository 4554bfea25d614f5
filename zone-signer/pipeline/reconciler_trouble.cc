// SPDX-License-Identifier: MIT
// What goes wrong: what is left alone for a while, and who is told.
#include <algorithm>
#include <utility>

#include "services/process/log.h"
#include "services/store/published_alarm.h"
#include "zone-signer/pipeline/reconciler.h"

namespace idzone::signer::pipeline {
namespace {

using process::Log;
using process::LogError;
using process::LogLevel;

/// How long what fails again and again is left alone at least, by the time that it took: a fifth of a signer's time is for it.
constexpr int kRestPerTried = 4;
constexpr std::chrono::minutes kFailureKept(1);  // beyond its next try
constexpr std::chrono::seconds kBetweenTokenLooks(1);
constexpr std::chrono::seconds kBetweenReports(60);

}  // namespace

bool Reconciler::GoesOnAfter(const Error& error, std::int32_t namespace_id, Standstill& failure, SteadyClock::duration elapsed) {
  failure.reason = error.reason;
  SteadyClock::duration rest = failure.backoff.Next();
  // Once may be nobody's fault: a process that was stopped for a while finds its connection ended.
  if (++failure.in_a_row > 1) rest = std::max(rest, kRestPerTried * elapsed);
  failure.retry_at = SteadyClock::now() + rest;
  const bool told = Tell(namespace_id, error);
  // Who can be told of it can be worked with: it is this namespace alone.
  const bool goes_on = told || error.reason != Reason::kUnavailable;
  if (goes_on) metrics_.CountFailure(error.reason);
  return goes_on;
}

void Reconciler::ClearIfWell(std::int32_t namespace_id) {
  const auto roll = roll_failures_.lower_bound({namespace_id, kAllKeysets});
  const bool rolls_stand = roll != roll_failures_.end() && roll->first.namespace_id == namespace_id;
  if (!rolls_stand && !failures_.contains(namespace_id)) Tell(namespace_id, std::nullopt);
}

void Reconciler::ForgetOldFailures() {
  std::vector<std::int32_t> forgotten;
  std::erase_if(failures_, [&](const auto& entry) {
    const auto& [namespace_id, failure] = entry;
    // Others stay, as long as this process lives: a clock that was doubted is doubted until it signs again.
    const bool is_old = failure.reason == Reason::kUnavailable && SteadyClock::now() > failure.retry_at + kFailureKept;
    if (is_old) forgotten.push_back(namespace_id);
    return is_old;
  });
  for (const std::int32_t namespace_id : forgotten) ClearIfWell(namespace_id);
}

void Reconciler::ForgetOldRollFailures(const std::vector<store::RollWork>& rolls) {
  std::set<std::int32_t> forgotten;
  std::erase_if(roll_failures_, [&](const auto& entry) {
    const store::KeysetId& id = entry.first;
    const auto roll = std::lower_bound(rolls.begin(), rolls.end(), id,
                                       [](const store::RollWork& left, const store::KeysetId& right) { return left.keyset < right; });
    const bool any = roll != rolls.end() && roll->keyset.namespace_id == id.namespace_id;
    const bool rolls_still = any && (id.zone_id == kAllKeysets || roll->keyset.zone_id == id.zone_id);
    if (!rolls_still) forgotten.insert(id.namespace_id);
    return !rolls_still;
  });
  for (const std::int32_t namespace_id : forgotten) ClearIfWell(namespace_id);
}

bool Reconciler::Tell(std::int32_t namespace_id, const std::optional<Error>& error) {
  const auto told = parts_.database.Transact("tell", [&](store::Transaction& transaction) -> Result<void> {
    if (error) {
      store::RaiseAlarm(transaction, namespace_id, *error);
    } else {
      store::ClearAlarms(transaction, namespace_id);
    }
    return {};
  });
  // The log has it in any case.
  if (!told) LogError(LogLevel::kWarning, "signer.alarm_not_told", told.error());
  return told.has_value();
}

void Reconciler::LookAtKeys() {
  const auto now = SteadyClock::now();
  if (now < next_token_look_) return;
  next_token_look_ = now + kBetweenTokenLooks;
  if (auto checked = parts_.keys.Check(); !checked) {
    // Another reason is news.
    if (!key_error_ || key_error_->met != checked.error().met) next_key_report_ = now;
    key_error_ = checked.error();
    if (now < next_key_report_) return;
    next_key_report_ = now + kBetweenReports;
    metrics_.CountFailure(key_error_->reason);
    LogError(LogLevel::kError, "signer.keys_unavailable", *key_error_);
    Tell(store::kAllNamespaces, *key_error_);
    return;
  }
  if (!key_error_) return;
  key_error_.reset();
  Log(LogLevel::kInfo, "signer.keys_available");
  Tell(store::kAllNamespaces, std::nullopt);
  for (auto& [namespace_id, failure] : failures_) {
    if (failure.reason == Reason::kKeyTokenUnavailable) failure.retry_at = now;
  }
}

std::string Reconciler::Trouble() {
  if (std::string clock = ClockTrouble(); !clock.empty()) return clock;
  if (!key_error_) return "";
  return std::string(ReasonName(key_error_->reason)) + " " + key_error_->Detail();
}

std::string Reconciler::ClockTrouble() {
  const auto doubted =
      std::find_if(failures_.begin(), failures_.end(), [](const auto& entry) { return entry.second.reason == Reason::kClockDoubt; });
  if (!clock_error_) return doubted == failures_.end() ? "" : "CLOCK_DOUBT: last signatures of zones, see the log";
  if (SteadyClock::now() >= next_clock_report_) {
    next_clock_report_ = SteadyClock::now() + kBetweenReports;
    metrics_.CountFailure(clock_error_->reason);
    LogError(LogLevel::kError, "signer.clock_doubted", *clock_error_);
    Tell(store::kAllNamespaces, *clock_error_);
  }
  return std::string(ReasonName(clock_error_->reason)) + " " + clock_error_->Detail();
}

bool Reconciler::MayTry(const store::ZoneWork& zone) const {
  const auto failure = failures_.find(zone.registered.namespace_id);
  return failure == failures_.end() || SteadyClock::now() >= failure->second.retry_at;
}

bool Reconciler::MayRoll(const store::KeysetId& keyset) const {
  const auto now = SteadyClock::now();
  const auto stands = [&](const store::KeysetId& id) {
    const auto failure = roll_failures_.find(id);
    return failure != roll_failures_.end() && now < failure->second.retry_at;
  };
  return !stands(keyset) && !stands({keyset.namespace_id, kAllKeysets});
}

}  // namespace idzone::signer::pipeline
