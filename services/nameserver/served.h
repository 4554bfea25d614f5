// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

/// What a process served, beside what PowerDNS counts itself: figures for the operator (housekeeping.h). Threads: any; who
/// counts does not wait.
namespace idzone::nameserver {

class Served {
 public:
  void CountForgottenName() { names_forgotten_.fetch_add(1, std::memory_order_relaxed); }
  void CountForgottenAll() { all_forgotten_.fetch_add(1, std::memory_order_relaxed); }
  void CountForbidden(std::uint64_t records) { forbidden_.fetch_add(records, std::memory_order_relaxed); }
  /// A signature leaves that ends then: Unix time in 32 bits (RFC 4034 §3.1.5), plain numbers until 2106.
  void NoteSignature(std::uint32_t expires) {
    std::uint32_t earliest = earliest_.load(std::memory_order_relaxed);
    while (expires < earliest && !earliest_.compare_exchange_weak(earliest, expires, std::memory_order_relaxed)) {
    }
  }

  std::uint64_t names_forgotten() const { return names_forgotten_; }
  std::uint64_t all_forgotten() const { return all_forgotten_; }
  std::uint64_t forbidden() const { return forbidden_; }
  /// Returns the earliest end of a signature that left since the turn before the last; 0: none did.
  std::uint32_t EarliestExpiry() const {
    const std::uint32_t earliest = std::min<std::uint32_t>(earliest_, before_);
    return earliest == kNone ? 0 : earliest;
  }
  void Turn() { before_ = earliest_.exchange(kNone); }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::atomic<std::uint64_t> names_forgotten_ = 0;
  std::atomic<std::uint64_t> all_forgotten_ = 0;
  std::atomic<std::uint64_t> forbidden_ = 0;
  std::atomic<std::uint32_t> earliest_ = kNone;  // since the last turn
  std::atomic<std::uint32_t> before_ = kNone;    // in the turn before
};

}  // namespace idzone::nameserver
