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
  std::string edges_behind;  // the first edges that have not what the keyset made the zones publish, with their last reports; for people
};

struct NamespaceKeys {
  NamespaceRecord home;
  std::optional<KeysetRecord> keyset;  // none: the signer has not made its first key yet
  std::vector<SigningKeyRecord> keys;  // the oldest first, removed ones too
};

/// NOT_FOUND.
Result<NamespaceKeys> FindNamespaceKeys(Database& database, const dns::Name& name);

struct RollOrder {
  int style = 1;
  int algorithm = 0;  // 0: as it is
  std::vector<zone::KeyRole> roles;
  bool urgent = false;
};
/// Queues an order for the signer. NOT_FOUND, NAMESPACE_NOT_READY (no key yet, or a roll is under way).
Result<NamespaceKeys> OrderRoll(Database& database, const Actor& actor, const dns::Name& name, const RollOrder& order);
/// Queues the word that the parent publishes what it should. NOT_FOUND, NAMESPACE_NOT_READY (no roll waits for that).
Result<NamespaceKeys> OrderParentConfirmed(Database& database, const Actor& actor, const dns::Name& name);

}  // namespace idzone::store
