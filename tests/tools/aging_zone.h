// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "services/core/zone/policy.h"
#include "zone-signer/pipeline/sweep.h"

/// The signatures of a zone as they grow old: made when names come and go, renewed by the sweep of zone-signer/pipeline/sweep.h as
/// pipeline/zone_work.cc takes its steps, those of the apex by their timer. What rolls sign besides only makes signatures younger, and is
/// left out.
namespace idzone::signer::pipeline {

/// Returns a policy whose signatures live three times their re-sign period and more, each class as it likes.
inline zone::ZonePolicy AnyPolicy(std::chrono::seconds resign, std::mt19937_64& random) {
  const auto any = [&](std::initializer_list<int> list) {
    return *(list.begin() + std::uniform_int_distribution<std::size_t>(0, list.size() - 1)(random));
  };
  const auto life = [&](std::chrono::seconds period) {
    return zone::SignatureLife{std::min<std::chrono::seconds>(std::chrono::hours(24 * 30), period * any({3, 4, 10})), period};
  };
  const auto policy = zone::MakeZonePolicy(
      "any", {.ttl = 60, .identity = life(resign), .denial = life(resign / any({1, 2})), .apex = life(resign / any({1, 3}))});
  if (!policy) throw std::logic_error(policy.error().Detail());
  return *policy;
}

/// Returns the policy of a signer whose periods are so many times as long as they should be.
inline zone::ZonePolicy Late(zone::ZonePolicy policy, int times) {
  for (zone::SignatureLife* each : {&policy.identity, &policy.denial, &policy.apex}) each->resign *= times;
  return policy;
}

class AgingZone {
 public:
  AgingZone(const zone::ZonePolicy& policy, std::uint64_t seed, UnixTime now) : policy_(policy), random_(seed), sweep_{Octets(), now} {
    apex_ = now;
    const auto names = std::uniform_int_distribution<std::size_t>(1, names_max_)(random_);
    while (names_.size() < names) Add(now);
  }

  /// Returns when the signer has something to do next.
  UnixTime Due() const { return std::min(NextSweepTime(sweep_, Limits()), apex_ + policy_.apex.resign); }

  /// The signer does all that is due. Returns for how long those that it met were still valid: LeastRest of them.
  std::chrono::seconds Renew(UnixTime now) {
    std::chrono::seconds least = apex_ + policy_.apex.life - now;
    while (const auto step = NextSweepStep(sweep_, Limits(), now)) {
      Octets last;
      std::int64_t met = 0;
      for (auto name = names_.upper_bound(step->after); name != names_.end() && name->first <= step->through; ++name) {
        least = std::min(least, RestOf(name->second, now));
        if (SweepRenews(now - name->second.data, policy_.identity.resign)) name->second.data = now;
        if (SweepRenews(now - name->second.denial, policy_.denial.resign)) name->second.denial = now;
        if (++met == Limits().nodes_max) {
          last = name->first;
          break;
        }
      }
      sweep_ = AfterSweepStep(sweep_, *step, last, Limits().period, now);
    }
    if (now - apex_ >= policy_.apex.resign) apex_ = now;
    return least;
  }

  /// A name comes, goes, or says something else.
  void Change(UnixTime now) {
    const int what = names_.size() == 1 ? 2 : names_.size() > names_max_ ? 0 : std::uniform_int_distribution<int>(0, 2)(random_);
    auto name = names_.lower_bound(RandomPlace());
    if (name == names_.end()) name = names_.begin();
    if (what == 0) {
      Before(name)->second.denial = now;
      names_.erase(name);
    } else if (what == 1) {
      name->second.data = now;
    } else {
      Add(now);
    }
  }

  /// Returns for how long any signature is still valid; negative when one has expired.
  std::chrono::seconds LeastRest(UnixTime now) const {
    auto least = apex_ + policy_.apex.life - now;
    for (const auto& [place, made] : names_) least = std::min(least, RestOf(made, now));
    return least;
  }

 private:
  /// When they were made.
  struct Signatures {
    UnixTime data, denial;
  };
  using Names = std::map<Octets, Signatures>;  // by their places in the sweep's order

  std::chrono::seconds RestOf(const Signatures& made, UnixTime now) const {
    return std::min(made.data + policy_.identity.life, made.denial + policy_.denial.life) - now;
  }
  SweepLimits Limits() const { return {period_, static_cast<std::int64_t>(names_.size()), 25}; }
  Octets RandomPlace() {
    Octets place(20, '\0');
    for (char& octet : place) octet = static_cast<char>(random_());
    return place;
  }
  Names::iterator Before(Names::iterator name) { return std::prev(name == names_.begin() ? names_.end() : name); }
  void Add(UnixTime now) { Before(names_.insert_or_assign(RandomPlace(), Signatures{now, now}).first)->second.denial = now; }

  const zone::ZonePolicy policy_;
  const std::chrono::seconds period_ = std::min(policy_.identity.resign, policy_.denial.resign);
  // Short rounds of many names would take most of a campaign's time.
  const std::size_t names_max_ = period_ < std::chrono::hours(24) ? 20 : 300;
  std::mt19937_64 random_;
  SweepState sweep_;
  UnixTime apex_;
  Names names_;
};

}  // namespace idzone::signer::pipeline
