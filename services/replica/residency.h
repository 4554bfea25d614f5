// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "services/replica/environment.h"

/// How much of the replica lies in memory. A name that does not costs a read of the disk, and a file that was not read since
/// the machine started answers at a fraction of its speed.
namespace idzone::replica {

struct Residency {
  std::uint64_t used_octets = 0;      // of the file: what versions have taken so far
  std::uint64_t resident_octets = 0;  // of those, in the kernel's page cache, whoever brought them there
};

/// Asks the kernel. To a process that could not write the file it says that all is there. UNAVAILABLE.
Result<Residency> MeasureResidency(const Environment& environment);

/// Reads what is not in memory, or with `all` the whole file whatever the kernel says, in pieces; returns the octets read. It
/// is kept there as long as the kernel finds no better use: nothing is locked.
Result<std::uint64_t> BringIntoMemory(const Environment& environment, bool all);

}  // namespace idzone::replica
