// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "services/replica/environment.h"
#include "services/replica/format.h"

/// The life of a generation of nodes: filling, live, removing, gone (FORMAT.md).
namespace idzone::replica {

/// Takes the next number from the environment's counter, for a zone or a generation.
Result<std::uint32_t> TakeNumber(WriteTransaction& transaction);

Result<void> SetState(WriteTransaction& transaction, Generation generation, GenerationState state);

/// Removes a generation's nodes in bounded transactions, then its entry. Interrupted anywhere, it can be run again.
Result<void> RemoveGeneration(const std::shared_ptr<Environment>& environment, Generation generation);

/// Removes every generation that is not live, `spared` aside: what interrupted snapshots and flips left behind.
Result<void> RemoveLeftovers(const std::shared_ptr<Environment>& environment, const std::vector<Generation>& spared);

}  // namespace idzone::replica
