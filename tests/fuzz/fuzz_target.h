// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "services/core/base/octets.h"

/// A fuzz target is one function that takes any octets, and ends the process when something is not as it must be. libFuzzer calls
/// it in the preset `fuzz`; elsewhere replay.cc does, with the corpus, so that what was found once is tried every day.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace idzone::fuzz {

inline OctetsView ViewOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace idzone::fuzz
