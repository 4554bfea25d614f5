// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/store/published_roll.h"
#include "zone-signer/keys/key_store.h"
#include "zone-signer/parent/parent_watch.h"
#include "zone-signer/rollover/schedule.h"

/// One step of the roll of a key set: commands and what is seen go through the machine (zone-signer/rollover), and what it
/// decides goes into the database, in one transaction under the lock of the namespace's own zone. Zones follow by themselves
/// (key_sweep.h, apex.h, own_keys.h). The parent of a zone with keys of its own is ours, unless it is the namespace's own zone: it has
/// changed when the zone has, and is neither asked nor told. Killed anywhere, nothing or all of a step has happened; a key file without its
/// row does no harm.
namespace idzone::signer::pipeline {

struct RollOptions {
  std::chrono::seconds propagation{-1};  // RFC 7583 Dprp; negative: as long as secondaries may take by the SOA, refresh + retry
  std::chrono::seconds parent_propagation{std::chrono::hours(1)};  // DprpP
  std::chrono::seconds unseen_ds_ttl{std::chrono::hours(24)};      // TTLds of a parent that is not asked
};

struct RollTools {
  keys::KeyStore& keys;
  const RollOptions& options;
  std::optional<parent::ParentSight> parent;
  UnixTime now;
};

struct RollOutcome {
  bool busy = false;                      // another signer has the namespace
  std::vector<rollover::Action> actions;  // for the log
  std::vector<Error> refused;             // commands
  bool scheduled = false;                 // a roll began without an order
  std::optional<rollover::Roll> roll;     // as it stands now
  rollover::Waiting waiting;
};

/// Takes the next step of that set (0: the one that all zones share, else a zone's), if one is due. What cannot be done is in `refused`,
/// and for operators to read in the keyset. Requires: the namespace's own zone exists.
Result<RollOutcome> StepKeyRoll(store::Transaction& transaction, const store::ZoneWork& work, std::int32_t keyset_zone_id,
                                const RollTools& tools);

/// Returns for how long keys live under a policy.
rollover::KeyLives LivesOf(const zone::ZonePolicy& policy);
/// Returns what the machine knows of a key.
rollover::RolledKey ToRolled(const store::KeyRow& row);

/// Returns what the parent publishes, by key: a DS record counts when it is of the key's DNSKEY, digest type 2 (SHA-256). One of another
/// digest type is taken to be of the key with its tag and algorithm.
rollover::ParentView MatchParent(const dns::Name& zone, const std::vector<store::KeyRow>& keys, const std::vector<Octets>& ds);

}  // namespace idzone::signer::pipeline
