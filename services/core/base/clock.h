// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

/// Time as an argument: nothing in core reads the wall clock.
namespace idzone {

/// Seconds since 1970, as RRSIG uses them (RFC 4034 §3.1.5).
using UnixTime = std::chrono::sys_seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixTime Now() const = 0;
};

/// A clock that only moves when it is told to.
class ManualClock : public Clock {
 public:
  explicit ManualClock(UnixTime now) : now_(now) {}
  UnixTime Now() const override { return now_; }
  void Advance(std::chrono::seconds step) { now_ += step; }

 private:
  UnixTime now_;
};

/// Returns "2026-11-23T21:30:00Z".
std::string FormatTime(UnixTime time);

/// Returns the low 32 bits, the form that RRSIG times have.
inline std::uint32_t ToRrsigTime(UnixTime time) {
  return static_cast<std::uint32_t>(time.time_since_epoch().count());
}

}  // namespace idzone
