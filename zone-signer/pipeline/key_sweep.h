// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/zone_session.h"

/// How zones follow their keyset (store/published_key.h). Each takes its revision with the first version in which its apex is
/// drafted. When the keys that sign data change, or the DS records at our own cuts, a sweep goes once through each zone, in the
/// order and with the steps of the re-signing sweep (sweep.h), spread over one of its periods, or at once in an emergency. It
/// signs again what other keys have signed than those that should, and leaves the rest alone; the re-signing sweep goes on
/// beside it, and leaves alone what is young.
namespace idzone::signer::pipeline {

/// In an emergency a sweep is due at once, and takes as long as its batches do.
inline constexpr std::chrono::seconds kUrgentSweepPeriod(1);

/// Loads the keys of the open zones, and how far they have followed them, unless a keyset is settled or it was done.
Result<void> LoadFollowed(store::Transaction& transaction, OpenZones& zones);

/// Takes the next step of that sweep in one zone, if one is due; begins it when the data revision is new. Returns how many nodes
/// it met. Requires: LoadFollowed.
Result<std::int64_t> TakeKeySweepStep(store::Transaction& transaction, ZoneSession& zone, std::int64_t nodes_max);

/// Returns when the next step is due; the end of time when there is none.
UnixTime NextKeySweepTime(const ZoneSession& zone, std::int64_t nodes_max);

/// Writes how far the zones are. Requires: what their drafts say is published.
void RecordFollowed(store::Transaction& transaction, OpenZones& zones);

}  // namespace idzone::signer::pipeline
