// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/sweep.h"

#include <algorithm>

namespace idzone::signer::pipeline {
namespace {

/// A key's place in the key space, from 0 to 1; 53 bits are more than 256 steps need.
double PlaceOf(OctetsView key) {
  double place = 0;
  double weight = 1.0 / 256;
  for (std::size_t i = 0; i < std::min<std::size_t>(key.size(), 6); ++i, weight /= 256)
    place += static_cast<double>(static_cast<std::uint8_t>(key[i])) * weight;
  return place;
}

/// The greatest key at that place.
Octets KeyAt(double place) {
  Octets key(dns::kNsec3HashOctets, '\xff');
  for (std::size_t i = 0; i < 6; ++i) {
    place *= 256;
    const int digit = std::clamp(static_cast<int>(place), 0, 255);
    key[i] = static_cast<char>(digit);
    place -= digit;
  }
  return key;
}

double ElapsedShare(const SweepState& state, std::chrono::seconds period, UnixTime now) {
  const double elapsed = static_cast<double>((now - state.round_start).count());
  return std::clamp(elapsed / static_cast<double>(period.count()), 0.0, 1.0);
}

}  // namespace

std::optional<SweepStep> NextSweepStep(const SweepState& state, const SweepLimits& limits, UnixTime now) {
  const double target = ElapsedShare(state, limits.period, now);
  const double batch = static_cast<double>(limits.nodes_max) / static_cast<double>(std::max<std::int64_t>(limits.node_count, 1));
  const bool ends_round = target >= 1;
  if (!ends_round && target - PlaceOf(state.position) < std::min(1.0 / 256, batch)) return std::nullopt;
  return SweepStep{state.position, ends_round ? Octets(dns::kNsec3HashOctets, '\xff') : KeyAt(target), ends_round};
}

SweepState AfterSweepStep(const SweepState& state, const SweepStep& step, const dns::DenialKey& last_key, std::chrono::seconds period,
                          UnixTime now) {
  if (!last_key.empty()) return {last_key, state.round_start};
  if (!step.ends_round) return {step.through, state.round_start};
  return {Octets(), std::max(state.round_start + period, now - period)};
}

std::chrono::seconds SweepLag(const SweepState& state, std::chrono::seconds period, UnixTime now) {
  const double elapsed = static_cast<double>((now - state.round_start).count());
  const double done = PlaceOf(state.position) * static_cast<double>(period.count());
  return std::chrono::seconds(static_cast<std::int64_t>(std::max(0.0, elapsed - done)));
}

bool SweepRenews(std::chrono::seconds signature_age, std::chrono::seconds period) {
  return signature_age >= period / 2 || signature_age < -std::chrono::minutes(5);
}

}  // namespace idzone::signer::pipeline
