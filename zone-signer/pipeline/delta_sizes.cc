// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/delta_sizes.h"

#include <algorithm>

#include "services/core/base/limits.h"
#include "zone-signer/pipeline/pace.h"

namespace idzone::signer::pipeline {
namespace {

/// Half a message: zones and names are not all alike.
constexpr std::int64_t kTarget = limits::kFeedMessageOctetsMax / 2;
constexpr std::int64_t kOctetsEachAtFirst = 8 * 1024;  // taken to be large

}  // namespace

std::int64_t DeltaSizes::NamesThatFit(std::int32_t namespace_id) const {
  const auto each = octets_each_.find(namespace_id);
  return std::max<std::int64_t>(1, kTarget / (each == octets_each_.end() ? kOctetsEachAtFirst : each->second));
}

void DeltaSizes::Learn(std::int32_t namespace_id, std::int64_t names, std::int64_t largest_delta) {
  if (names < Pace::kSmallest || largest_delta == 0) return;
  const std::int64_t met = largest_delta / names + 1;
  auto [each, is_new] = octets_each_.emplace(namespace_id, met);
  // Larger ones count at once, smaller ones little by little.
  if (!is_new) each->second = std::max(met, (7 * each->second + met) / 8);
}

}  // namespace idzone::signer::pipeline
