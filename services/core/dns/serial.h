// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// Serial number arithmetic (RFC 1982, SERIAL_BITS = 32).
namespace idzone::dns {

using Serial = std::uint32_t;

/// Returns the next serial; 0 is skipped, because some secondaries read it as "none".
inline Serial NextSerial(Serial serial) {
  return serial + 1 == 0 ? 1 : serial + 1;
}

/// RFC 1982 §3.2: says whether `left` is before `right`. Serials 2^31 apart are not comparable: false both ways.
inline bool SerialLess(Serial left, Serial right) {
  return left != right && ((left < right && right - left < 0x80000000u) || (left > right && left - right > 0x80000000u));
}

}  // namespace idzone::dns
