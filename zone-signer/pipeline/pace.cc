// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/pace.h"

#include <algorithm>

#include "services/core/base/error.h"

namespace idzone::signer::pipeline {

Pace::Pace(std::int64_t largest, std::chrono::microseconds target)
    : largest_(largest), smallest_(std::min(kSmallest, largest)), target_(target), size_(std::max(smallest_, largest / 2)) {
  IDZONE_INVARIANT(target.count() >= 1, "a transaction takes some time");
  IDZONE_INVARIANT(largest >= 1, "a transaction takes at least one name");
}

void Pace::Aim(std::chrono::microseconds target) {
  if (target == target_) return;
  size_ = std::clamp(size_ * target.count() / target_.count(), smallest_, largest_);
  target_ = target;
}

void Pace::Took(std::int64_t asked, std::int64_t done, std::chrono::nanoseconds elapsed) {
  if (2 * done < asked || elapsed.count() <= 0) return;
  const double each = std::chrono::duration<double, std::micro>(elapsed).count() / static_cast<double>(done);
  const double fits = static_cast<double>(target_.count()) / each;
  // A quarter of the way: one slow moment of the disk is not the machine's pace.
  const double next = static_cast<double>(size_) + (std::clamp(fits, 1.0, static_cast<double>(largest_)) - static_cast<double>(size_)) / 4;
  size_ = std::clamp(static_cast<std::int64_t>(next), smallest_, largest_);
}

void Pace::Failed(std::int64_t asked, std::chrono::nanoseconds elapsed) {
  const double shares = std::chrono::duration<double, std::micro>(elapsed).count() / static_cast<double>(target_.count());
  const auto fits = static_cast<std::int64_t>(static_cast<double>(asked) / std::max(shares, 2.0));
  size_ = std::max(smallest_, std::min(size_ / 2, fits));
}

}  // namespace idzone::signer::pipeline
