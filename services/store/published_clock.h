// SPDX-License-Identifier: MIT
#pragma once

#include <set>

#include "services/store/published_store.h"

/// Time as PostgreSQL and operators see it, and signers that stopped in the middle of a transaction: for the signer alone.
namespace idzone::store {

/// Returns PostgreSQL's clock now, not when the transaction began.
UnixTime ReadDatabaseClock(Transaction& transaction);

/// Returns when an operator last said that the clock is right, for zones of that namespace, if that was since then.
std::optional<UnixTime> LoadClockWord(Transaction& transaction, std::int32_t namespace_id, UnixTime since);

/// Returns the namespaces of which a zone was last signed after that time.
std::set<std::int32_t> ListSignedAfter(Transaction& transaction, UnixTime time);

/// Returns when the zone of a namespace that was signed last was signed. Requires: it has one.
UnixTime LoadLastSignature(Transaction& transaction, std::int32_t namespace_id);

/// Takes back the times of a namespace's zones that lie after `now`, and begins their sweeps anew, so that what was signed in the
/// future is signed again as fast as it goes: the round begins at `round`, a whole period ago.
void RewindZones(Transaction& transaction, std::int32_t namespace_id, UnixTime now, UnixTime round);

/// Ends the sessions of this role that have been in one transaction for longer than that: a signer that was stopped keeps its locks,
/// and while PostgreSQL waits for it to read an answer, no timeout of PostgreSQL's ends that. Returns how many there were.
std::int64_t EndStuckSessions(Transaction& transaction, std::chrono::seconds longer_than);

/// Returns the settings of a session that must not keep its locks for longer than about that when its process stops, or its host
/// vanishes.
std::vector<std::pair<std::string, std::string>> TakeoverSettings(std::chrono::seconds takeover);

}  // namespace idzone::store
