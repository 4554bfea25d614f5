// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/sweep.h"

#include <algorithm>
#include <cmath>

namespace idzone::signer::pipeline {
namespace {

constexpr std::size_t kPlaceOctets = 20;

/// Where a place is in its space, from 0 to 1; 53 bits are more than 256 steps need.
double ShareOf(OctetsView place) {
  double share = 0;
  double weight = 1.0 / 256;
  for (std::size_t i = 0; i < std::min<std::size_t>(place.size(), 6); ++i, weight /= 256)
    share += static_cast<double>(static_cast<std::uint8_t>(place[i])) * weight;
  return share;
}

/// The greatest place at that share.
Octets PlaceAt(double share) {
  Octets place(kPlaceOctets, '\xff');
  for (std::size_t i = 0; i < 6; ++i) {
    share *= 256;
    const int digit = std::clamp(static_cast<int>(share), 0, 255);
    place[i] = static_cast<char>(digit);
    share -= digit;
  }
  return place;
}

double ElapsedShare(const SweepState& state, std::chrono::seconds period, UnixTime now) {
  const double elapsed = static_cast<double>((now - state.round_start).count());
  return std::clamp(elapsed / static_cast<double>(period.count()), 0.0, 1.0);
}

/// The share of the zone that one step covers.
double StepShare(const SweepLimits& limits) {
  const auto count = static_cast<double>(std::max<std::int64_t>(limits.node_count, 1));
  return std::min(std::clamp(1 / count, 1.0 / 256, 1.0 / 16), static_cast<double>(limits.nodes_max) / count);
}

}  // namespace

std::optional<SweepStep> NextSweepStep(const SweepState& state, const SweepLimits& limits, UnixTime now) {
  const double target = ElapsedShare(state, limits.period, now);
  const bool ends_round = target >= 1;
  if (!ends_round && target - ShareOf(state.position) < StepShare(limits)) return std::nullopt;
  return SweepStep{state.position, ends_round ? Octets(kPlaceOctets, '\xff') : PlaceAt(target), ends_round};
}

UnixTime NextSweepTime(const SweepState& state, const SweepLimits& limits) {
  const double share = std::min(1.0, ShareOf(state.position) + StepShare(limits));
  return state.round_start + std::chrono::seconds(static_cast<std::int64_t>(std::ceil(share * static_cast<double>(limits.period.count()))));
}

SweepState AfterSweepStep(const SweepState& state, const SweepStep& step, const Octets& last_place, std::chrono::seconds period,
                          UnixTime now) {
  if (!last_place.empty()) return {last_place, state.round_start};
  if (!step.ends_round) return {step.through, state.round_start};
  return {Octets(), std::max(state.round_start + period, now - period)};
}

std::chrono::seconds SweepLag(const SweepState& state, std::chrono::seconds period, UnixTime now) {
  const double elapsed = static_cast<double>((now - state.round_start).count());
  const double done = ShareOf(state.position) * static_cast<double>(period.count());
  return std::chrono::seconds(static_cast<std::int64_t>(std::max(0.0, elapsed - done)));
}

bool IsOfTheFuture(std::chrono::seconds signature_age) {
  return signature_age < -std::chrono::minutes(5);
}

bool SweepRenews(std::chrono::seconds signature_age, std::chrono::seconds period) {
  return signature_age >= period / 2 || IsOfTheFuture(signature_age);
}

}  // namespace idzone::signer::pipeline
