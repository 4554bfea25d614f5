// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/zone_work.h"

namespace idzone::signer::pipeline {

/// Zones that one transaction makes: their signatures take some 20 ms, during which no revocation is published.
inline constexpr std::int64_t kCutsPerTransaction = 64;
/// With keys of their own: each key is made, sealed and synced to disk, or made in its token, first.
inline constexpr std::int64_t kKeyedCutsPerTransaction = 16;

/// Makes the own zone of a namespace: its keys (sealed on disk before the database knows of them) and version 1, an apex alone.
Result<WorkOutcome> CreateZone(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools);

/// Makes the next of the namespace's zones that are wanted below it, a bounded number: the delegation (NS and DS) in the parent
/// and the child's version 1 in one transaction, so that one is never seen without the other. How far it has come stands in the
/// own zone's row; so it goes on where it was interrupted.
/// ALREADY_EXISTS when names exist below a cut, which the registry does not let happen.
Result<WorkOutcome> MakeCuts(store::Transaction& transaction, const store::ZoneWork& work, const WorkTools& tools);

}  // namespace idzone::signer::pipeline
