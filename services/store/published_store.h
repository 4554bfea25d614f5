// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/denial.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"
#include "services/core/zone/layout.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"

namespace pqxx {
class transaction_base;
}

/// All SQL of the signer. Every function runs inside Database::Transact, which turns libpqxx's exceptions into errors;
/// an Error returned from here means that a row holds what it must not.
///
/// No statement's cost depends on the size of a zone: nodes are found by their key or as the next few in key order.
/// The signer's sessions therefore run with the settings of SignerSessionSettings(), because on a young zone, without
/// statistics, the planner would choose to scan it.
namespace idzone::store {

using Transaction = pqxx::transaction_base;

/// Returns the settings that force index nested loops.
std::vector<std::pair<std::string, std::string>> SignerSessionSettings();

struct NamespaceRow {
  std::int32_t namespace_id = 0;
  dns::Name apex;
  zone::Layout layout;
  std::string policy;
  std::vector<dns::Name> name_servers;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  std::uint8_t algorithm = dns::kAlgorithmEcdsaP256Sha256;
  bool wildcard_ca = false;
  zone::LabelPrivacy labels = zone::LabelPrivacy::kClear;
};

struct ZoneRow {
  std::int32_t zone_id = 0;
  zone::ZonePosition position;
  std::int64_t node_count = 0;
  Octets resign_key;  // how far the sweep has come, a sweep place; empty: at the beginning
  UnixTime resign_round;
  UnixTime last_signed_at;
};

/// What there is to do for one namespace.
struct ZoneWork {
  NamespaceRow registered;
  std::optional<ZoneRow> zone;  // none yet: create it
  std::optional<UnixTime> oldest_revocation;
  std::optional<UnixTime> oldest_enrollment;
};

/// Returns every namespace with its zone and the heads of its queues. Cost: a few index look-ups a namespace.
Result<std::vector<ZoneWork>> ListZoneWork(Transaction& transaction);

// Zones and keys (published_zone.cc).

struct KeyRow {
  Octets key_id;
  std::uint16_t key_tag = 0;
  Octets dnskey;
};
Result<std::optional<KeyRow>> FindKey(Transaction& transaction, std::int32_t namespace_id);
void InsertKey(Transaction& transaction, std::int32_t namespace_id, const KeyRow& key);

/// Takes the right to create a namespace's zone until the transaction ends; false when another signer has it, or has
/// created the zone in the meantime.
bool TryLockZoneCreation(Transaction& transaction, const NamespaceRow& registered);
/// Returns the new zone's id. ALREADY_EXISTS (through the transaction) when another signer was first.
std::int32_t InsertZone(Transaction& transaction, const NamespaceRow& registered, const ZoneRow& zone);

/// Locks the zone's row, which orders its versions, and returns it as it is then; nothing while another signer has it.
std::optional<ZoneRow> LockZone(Transaction& transaction, std::int32_t zone_id);
/// Writes everything that moves. Requires: the row is locked.
void UpdateZone(Transaction& transaction, const ZoneRow& zone);

// Nodes (published_node.cc).

struct NodeRow {
  dns::DenialKey key;
  dns::Name owner;
  std::int32_t child_count = 0;
  std::vector<dns::RrSet> rrsets;
  zone::Denial denial;
};

/// What the chain needs to know of a node.
struct ChainRow {
  dns::DenialKey key;
  std::vector<dns::RrType> types;
  Octets next;  // as in zone::Denial
};

/// Returns those of the nodes that exist, in no particular order.
Result<std::vector<NodeRow>> LoadNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys);
/// Returns the node before each of the keys in the chain, each once; the last one stands before the first.
Result<std::vector<ChainRow>> LoadPredecessors(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys);

/// The sweep order: 20 octets of a digest of each owner, and so evenly spread whatever the names are. NSEC3: the node's key;
/// NSEC: the beginning of SHA-256, for which there is an index (migrations/0005_sweep_order.sql).
Octets SweepPlaceOf(dns::DenialKind kind, const NodeRow& node);
/// A part of a zone in sweep order: after < place <= through, at most `limit` nodes.
struct SweepRange {
  OctetsView after;
  OctetsView through;
  std::int64_t limit = 0;
};
/// Returns the nodes of that part, in sweep order.
Result<std::vector<NodeRow>> LoadSweepRange(Transaction& transaction, std::int32_t zone_id, dns::DenialKind kind, const SweepRange& range);

void InsertNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes);
/// Writes everything but the owner.
void UpdateNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes);
/// Writes the denial alone.
void UpdateDenials(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes);
void UpdateChildCounts(Transaction& transaction, std::int32_t zone_id, const std::vector<const NodeRow*>& nodes);
void DeleteNodes(Transaction& transaction, std::int32_t zone_id, const std::vector<dns::DenialKey>& keys);

// The queue and what the registry wants published (published_queue.cc).

struct DirtyBatches {
  std::vector<std::int64_t> batch_ids;
  std::int64_t identity_count = 0;
  bool about_authority = false;  // one of them is about the namespace's authority
  bool more = false;             // the queue holds others
};

/// Takes batches in order, revocations first, until they hold `identities_max` identities (always at least one batch).
DirtyBatches TakeDirtyBatches(Transaction& transaction, std::int32_t namespace_id, std::int64_t identities_max);
void DeleteDirtyBatches(Transaction& transaction, const std::vector<std::int64_t>& batch_ids);

struct DesiredRecord {
  std::uint16_t type = 0;  // not yet looked at
  Octets rdata;
};
struct DesiredIdentity {
  std::string subject;
  std::optional<std::string> label;  // the private label
  bool active = false;               // registered and not revoked
  std::vector<DesiredRecord> records;
};
/// Returns what the registry says now of every identity in those batches, each identity once.
std::vector<DesiredIdentity> LoadDesired(Transaction& transaction, std::int32_t namespace_id, const std::vector<std::int64_t>& batch_ids);
/// Returns the TLSA RDATA of the namespace's authority, or nothing.
std::optional<Octets> LoadAuthority(Transaction& transaction, std::int32_t namespace_id);

// The journal (published_journal.cc).

struct VersionRow {
  zone::ZonePosition position;
  dns::Serial previous_serial = 0;
  Octets previous_digest;
  std::vector<dns::RrType> types;
  Octets delta;
};
void InsertVersion(Transaction& transaction, std::int32_t zone_id, const VersionRow& version);
/// Records in which version the batches were published.
void InsertBatches(Transaction& transaction, std::int32_t zone_id, const zone::ZonePosition& position,
                   const std::vector<std::int64_t>& batch_ids);

struct JournalLimits {
  std::int64_t versions_max = 0;  // that many of a zone's newest versions are kept at most
  UnixTime kept_since;            // older ones go
};
/// Drops old versions of a zone, a bounded number at a time, never the newest. Returns how many went.
std::int64_t PruneVersions(Transaction& transaction, std::int32_t zone_id, const zone::ZonePosition& newest, const JournalLimits& limits);
/// Drops old batch rows of all zones, a bounded number at a time. Returns how many went.
std::int64_t PruneBatches(Transaction& transaction, UnixTime kept_since);

}  // namespace idzone::store
