// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "services/core/zone/zone_key.h"
#include "services/store/registry_record.h"

/// Keys from the registry's side: what operators see of them, and what they ask the signer for.
namespace idzone::store {

class Database;

struct SigningKeyRecord {
  dns::Name zone;  // the namespace's own, or the one whose keys they are
  Octets key_id;
  std::uint16_t key_tag = 0;
  std::uint8_t algorithm = 0;
  Octets dnskey;
  zone::KeyRole role = zone::KeyRole::kCsk;
  zone::KeyState state = zone::KeyState::kActive;
  zone::KeyUses uses;
  UnixTime created_at;
  UnixTime state_at;
};

/// The numbers of style, phase and waits_for are those of idzone.v1.RollStyle, RollPhase and RollWait.
struct KeysetRecord {
  int style = 0;  // 0: no roll is under way
  int phase = 0;
  bool urgent = false;
  bool emergency_follows = false;
  int algorithm = 0;
  std::optional<UnixTime> began_at;
  std::optional<UnixTime> phase_at;
  int waits_for = 0;
  std::optional<UnixTime> waits_until;
  std::string refused;
  std::string parent_answer;
  std::optional<UnixTime> parent_asked_at;
  bool awaits_parent = false;  // whatever else it waits for
  int waiting_commands = 0;
  std::optional<UnixTime> keys_due_at;  // when the policy has the combined key, or the KSK, rolled next
  std::optional<UnixTime> zsk_due_at;
  std::string edges_behind;  // the first edges and secondaries that have not what the keyset made the zones publish, with their last
                             // reports; for people
};

/// Which keys: a namespace's, or those of one of its zones where each has its own. Without a zone, then: of the namespace's own.
struct KeysetName {
  dns::Name home;
  std::optional<dns::Name> zone{};
};

struct NamespaceKeys {
  NamespaceRecord home;
  dns::Name zone;                      // whose keys, or at whose apex they begin
  std::optional<KeysetRecord> keyset;  // none: the signer has not made its first key yet
  std::vector<SigningKeyRecord> keys;  // the oldest first, removed ones too
  int zones_with_keys = 0;             // zones with keys of their own; 0: the zones share them
  int zones_rolling = 0;               // of these
};

/// NOT_FOUND, also for a zone that has no keys of its own.
Result<NamespaceKeys> FindNamespaceKeys(Database& database, const KeysetName& name);

/// The same for any zone of a namespace: its own keys, or those that it shares.
Result<NamespaceKeys> FindKeysOfZone(Database& database, const dns::Name& home, const dns::Name& zone);

/// Returns a page of the keys of a namespace: whole sets, by zone, the oldest first. `limit` and `after` count and name sets.
struct KeyPage {
  NamespaceRecord home;
  std::vector<SigningKeyRecord> keys;
  std::string next;  // `after` of the next page; empty: this is the last one
};
/// PAGE_TOKEN_INVALID.
Result<KeyPage> ListKeys(Database& database, const KeysetName& name, const PageOf& page);

struct RollOrder {
  int style = 1;
  int algorithm = 0;  // 0: as it is
  std::vector<zone::KeyRole> roles;
  bool urgent = false;
};
/// Queues an order for the signer: without a zone for all sets of the namespace but those that roll already, unless it is urgent.
/// NOT_FOUND, NAMESPACE_NOT_READY (no key yet, or all of them roll).
Result<NamespaceKeys> OrderRoll(Database& database, const Actor& actor, const KeysetName& name, const RollOrder& order);
/// Queues the word that the parent publishes what it should. NOT_FOUND, NAMESPACE_NOT_READY (no roll waits for that).
Result<NamespaceKeys> OrderParentConfirmed(Database& database, const Actor& actor, const dns::Name& home);

}  // namespace idzone::store
