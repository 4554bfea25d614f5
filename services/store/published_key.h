// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "services/core/zone/zone_key.h"
#include "services/store/published_store.h"

/// The keys of namespaces and zones, what zones are to do with them, and how far each zone is. Part of the signer's SQL
/// (published_store.h says how it behaves).
namespace idzone::store {

/// Whose keys a set holds: those of one zone, or (0) of all the zones of a namespace. Which of the two, the policy says (zone::KeyScope).
struct KeysetId {
  std::int32_t namespace_id = 0;
  std::int32_t zone_id = 0;
  friend auto operator<=>(const KeysetId&, const KeysetId&) = default;
};

struct KeyRow {
  Octets key_id;
  std::uint16_t key_tag = 0;
  Octets dnskey;
  zone::KeyRole role = zone::KeyRole::kCsk;
  zone::KeyState state = zone::KeyState::kActive;
  zone::KeyUses uses;
  std::uint8_t part = 0;  // in the roll under way: 1 comes, 2 leaves
};

/// The longest TTLs ever observed, in seconds.
struct LongestTtlRow {
  std::int64_t keys = 0;
  std::int64_t data = 0;
  std::int64_t ds = 0;
  friend bool operator==(const LongestTtlRow&, const LongestTtlRow&) = default;
};

/// What zones have to know of their keyset.
struct KeysetRow {
  std::int64_t revision = 1;
  std::int64_t data_revision = 1;
  bool settled = true;       // every zone and edge is known to have followed
  bool tell_parent = false;  // CDS and CDNSKEY are published
  bool urgent = false;       // data is signed again at once
  LongestTtlRow ttls;
};

/// A set as a transaction finds it: the keys that zones do anything with, the oldest first.
struct Keyring {
  std::vector<KeyRow> keys;
  KeysetRow keyset;
};
/// Returns those sets of a namespace that exist, by zone (0: the one that all share).
Result<std::map<std::int32_t, Keyring>> LoadKeyrings(Transaction& transaction, std::int32_t namespace_id,
                                                     const std::vector<std::int32_t>& zone_ids);

/// How far a zone has followed its keyset.
struct ZoneKeysRow {
  std::int32_t zone_id = 0;
  std::int64_t keys_revision = 0;
  zone::ZonePosition keys_position;   // without digest
  zone::ZonePosition cut_position{};  // of its parent, with the DS records of keys of its own
  std::int64_t sweep_revision = 0;    // the sweep under way, or the last one
  Octets sweep_place;
  UnixTime sweep_began;
  std::int64_t swept_revision = 0;
  zone::ZonePosition swept_position;  // without digest
};
/// Returns the rows of those zones that have one.
std::vector<ZoneKeysRow> LoadZoneKeys(Transaction& transaction, const std::vector<std::int32_t>& zone_ids);
/// Writes them, new ones too. Requires: the namespace's own zone is locked.
void SaveZoneKeys(Transaction& transaction, const std::vector<const ZoneKeysRow*>& rows);

/// Returns all keys that a set ever had, the oldest first.
Result<std::vector<KeyRow>> LoadKeys(Transaction& transaction, const KeysetId& id);
/// Returns the ids of those keys that zones of any namespace do anything with, the newest first.
std::vector<Octets> ListKeysInUse(Transaction& transaction, std::int64_t limit);
void InsertKey(Transaction& transaction, const KeysetId& id, const KeyRow& key);
/// Writes state, uses and part.
void UpdateKey(Transaction& transaction, const KeyRow& key);

/// When the keys of a set are rolled next without an order; unset: never.
struct ScheduleRow {
  std::optional<UnixTime> keys_at;
  std::optional<UnixTime> zsk_at;
  friend bool operator==(const ScheduleRow&, const ScheduleRow&) = default;
};

/// Makes a set whose first keys were inserted.
void InsertKeyset(Transaction& transaction, const KeysetId& id, const LongestTtlRow& ttls, const ScheduleRow& schedule = {});
/// Raises the longest TTLs observed.
void RaiseLongestTtls(Transaction& transaction, const KeysetId& id, const LongestTtlRow& ttls);
}  // namespace idzone::store
