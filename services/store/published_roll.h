// SPDX-License-Identifier: MIT
#pragma once

#include "services/store/published_key.h"

/// Rolls of keys: what is remembered of them, what operators ask for, and what is seen of them. Part of the signer's SQL
/// (published_store.h says how it behaves). The numbers' meanings: zone-signer/rollover.
namespace idzone::store {

struct RollRow {
  std::uint8_t style = 0;
  std::uint8_t algorithm = 0;
  std::vector<zone::KeyRole> roles;
  bool urgent = false;
  bool emergency_follows = false;
  std::uint8_t phase = 0;
  UnixTime began;
  UnixTime phase_began;
  std::optional<UnixTime> published_at;
  std::optional<UnixTime> resigned_at;
  std::optional<UnixTime> delegated_at;

  friend bool operator==(const RollRow&, const RollRow&) = default;
};

/// A keyset, whole.
struct RollingKeysetRow {
  std::int64_t revision = 1;
  std::int64_t data_revision = 1;
  bool tell_parent = false;
  std::int64_t settled_revision = 1;  // the last one that all zones and edges are known to have followed
  LongestTtlRow ttls;
  std::optional<RollRow> roll;
  ScheduleRow schedule;
  // For people to read.
  std::uint8_t waits_for = 0;
  std::optional<UnixTime> waits_until;
  std::string refused;        // why the last command was
  std::string parent_answer;  // what the parent was seen to publish
  std::optional<UnixTime> parent_asked_at;

  friend bool operator==(const RollingKeysetRow&, const RollingKeysetRow&) = default;
};

/// A keyset that has a roll under way or one that is due, that zones still follow, or that a command waits for.
struct RollWork {
  KeysetId keyset;
  bool asks_parent = false;  // keys roll that DS records in a parent name which is not ours
};
std::vector<RollWork> ListRollWork(Transaction& transaction, UnixTime now);

/// Locks the keyset's row, which orders the steps of a roll; nothing while another signer has it.
std::optional<RollingKeysetRow> LockKeyset(Transaction& transaction, const KeysetId& id);
void SaveKeyset(Transaction& transaction, const KeysetId& id, const RollingKeysetRow& keyset);

/// Makes all zones of a keyset due, so that they take up what changed. Requires: the namespace's own zone is locked.
void MakeZonesDue(Transaction& transaction, const KeysetId& id, UnixTime now);

struct KeyCommand {
  bool begins_roll = false;  // else: the parent publishes what it should
  std::uint8_t style = 0;
  std::uint8_t algorithm = 0;  // 0: as it is
  std::vector<zone::KeyRole> roles;
  bool urgent = false;
};
/// Takes and deletes the commands for a keyset, the oldest first.
std::vector<KeyCommand> TakeKeyCommands(Transaction& transaction, const KeysetId& id);

/// What is seen of a keyset's revisions.
struct KeysetSight {
  /// Every zone has taken the revision, its parent among ours (with keys of its own) has its DS records, and all that serve them, edges and
  /// foreign secondaries, have those versions.
  bool published = false;
  bool resigned = false;  // every zone is swept for the data revision, and all that serve it have that version
  std::string server;     // one that is behind
};
/// Who has not reported since `silent_since` does not count: what it serves has no valid signature any more.
KeysetSight SeeKeyset(Transaction& transaction, const KeysetId& id, UnixTime silent_since);

}  // namespace idzone::store
