// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace idzone::signer::pipeline {

/// How much one transaction takes on: as much as fits into a target time, by what the ones before it took. Large transactions are
/// cheap for each name; small ones let a revocation through soon. Pure. Threads: one.
class Pace {
 public:
  /// Begins with a share of `largest`, because nothing is known yet. Requires: largest >= 1.
  Pace(std::int64_t largest, std::chrono::microseconds target);

  std::int64_t size() const { return size_; }

  /// Changes the target; what was learnt of the time that each takes stays.
  void Aim(std::chrono::microseconds target);

  /// Takes what one transaction was to do at most, which may be less than `size`, and did. Little work says nothing about much work and
  /// changes nothing.
  void Took(std::int64_t asked, std::int64_t done, std::chrono::nanoseconds elapsed);

  /// Takes that a transaction came to no end in time, which may have been for its size: the next one is at most half as large, and no
  /// larger than would have fitted.
  void Failed(std::int64_t asked, std::chrono::nanoseconds elapsed);

  /// Below that, what a transaction costs by itself outweighs its names.
  static constexpr std::int64_t kSmallest = 64;

 private:
  std::int64_t largest_;
  std::int64_t smallest_;
  std::chrono::microseconds target_;
  std::int64_t size_;
};

}  // namespace idzone::signer::pipeline
