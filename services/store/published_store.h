// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/denial.h"
#include "services/core/dns/dnskey.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"
#include "services/core/zone/layout.h"
#include "services/core/zone/node.h"
#include "services/core/zone/policy.h"
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
  zone::ZonePolicy policy{};
  std::vector<dns::Name> name_servers;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  std::uint8_t algorithm = dns::kAlgorithmEcdsaP256Sha256;
  bool wildcard_ca = false;
  zone::LabelPrivacy labels = zone::LabelPrivacy::kClear;
  bool has_cuts = false;  // of a tree: each prefix is a zone of its own
};

struct ZoneRow {
  std::int32_t zone_id = 0;
  dns::Name name;
  std::optional<std::int32_t> parent_id;  // the zone that delegates to it; none: the external parent does
  zone::ZonePosition position;
  std::int64_t node_count = 0;
  Octets resign_key;  // how far the sweep has come, a sweep place; empty: at the beginning
  UnixTime resign_round;
  UnixTime last_signed_at;
  UnixTime renew_at;  // when something in it has to be signed again next
  // The first expiry behind the sweep, and ahead of it as the last round left it; unset: nothing was met there.
  std::optional<UnixTime> expires_behind;
  std::optional<UnixTime> expires_ahead;
  std::int32_t cuts_made = 0;  // of a namespace's own zone: how many of the namespace's cuts exist
};

/// What there is to do for one namespace.
struct ZoneWork {
  NamespaceRow registered;
  std::optional<ZoneRow> zone;   // the namespace's own, at its apex; none yet: create it
  std::int32_t cuts_wanted = 0;  // how many zones there are to be below it; cuts_made of them exist
  std::optional<UnixTime> oldest_revocation;
  std::optional<UnixTime> oldest_enrollment;
};

/// Returns every namespace with its own zone and the heads of its queues. Cost: a few index look-ups a namespace, however many
/// zones it has.
Result<std::vector<ZoneWork>> ListZoneWork(Transaction& transaction);

/// A zone in which something has to be signed again.
struct DueZone {
  std::int32_t namespace_id = 0;
  std::int32_t zone_id = 0;
  UnixTime renew_at;
};
/// Returns the zones that are due, the longest overdue first, at most `limit`; none of the namespaces that are left alone.
std::vector<DueZone> ListDueZones(Transaction& transaction, UnixTime now, const std::vector<std::int32_t>& left_alone, std::int64_t limit);

// Zones (published_zone.cc); their keys are in published_key.h.

/// Takes the right to create a namespace's zone until the transaction ends; false when another signer has it, or has
/// created the zone in the meantime.
bool TryLockZoneCreation(Transaction& transaction, const NamespaceRow& registered);
/// Inserts zones, and gives them their ids. ALREADY_EXISTS (through the transaction) when another signer was first.
void InsertZones(Transaction& transaction, const NamespaceRow& registered, const std::vector<ZoneRow*>& zones);

/// Locks the row of a namespace's own zone, which orders the versions of all its zones, and returns it as it is then; nothing
/// while another signer has it.
Result<std::optional<ZoneRow>> LockZone(Transaction& transaction, std::int32_t zone_id);
/// Returns those zones. Requires: the namespace's own zone is locked.
Result<std::vector<ZoneRow>> LoadZones(Transaction& transaction, const std::vector<std::int32_t>& zone_ids);
/// Returns those of the names that are zones of the namespace. Requires: the namespace's own zone is locked.
Result<std::vector<ZoneRow>> FindZones(Transaction& transaction, std::int32_t namespace_id, const std::vector<dns::Name>& names);
/// Writes everything that moves. Requires: the namespace's own zone is locked.
void UpdateZones(Transaction& transaction, const std::vector<const ZoneRow*>& zones);

/// Returns the zones that an enum namespace is to have, in the order of their numbers, from `after` + 1 on.
Result<std::vector<dns::Name>> LoadWantedCuts(Transaction& transaction, std::int32_t namespace_id, std::int32_t after, std::int64_t limit);

// Nodes (published_node.cc).

struct NodeRow {
  std::int32_t zone_id = 0;
  dns::DenialKey key;
  dns::Name owner;
  std::int32_t child_count = 0;
  std::vector<dns::RrSet> rrsets;
  zone::Denial denial;
  std::string address;  // where it was read (PostgreSQL's ctid), good until the transaction ends; empty: nowhere yet
};

/// What the chain needs to know of a node.
struct ChainRow {
  std::int32_t zone_id = 0;
  dns::DenialKey key;
  std::vector<dns::RrType> types;
  Octets next;          // as in zone::Denial
  std::string address;  // as in NodeRow
};

/// Where a node is or would be. One transaction moves many zones, and one statement finds and writes the nodes of all of them.
struct NodePlace {
  std::int32_t zone_id = 0;
  dns::DenialKey key;
};

/// Returns those of the nodes that exist, in no particular order.
Result<std::vector<NodeRow>> LoadNodes(Transaction& transaction, const std::vector<NodePlace>& places);
/// What is at places, and around those where nothing is.
struct Surroundings {
  std::vector<NodeRow> nodes;    // those that exist, in no particular order
  std::vector<ChainRow> before;  // the node before each of the others in its zone's chain, each once
};
Result<Surroundings> LoadSurroundings(Transaction& transaction, const std::vector<NodePlace>& places);
/// Returns the node before each of the places in its zone's chain, each once; the last one stands before the first.
Result<std::vector<ChainRow>> LoadPredecessors(Transaction& transaction, const std::vector<NodePlace>& places);

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

void InsertNodes(Transaction& transaction, const std::vector<const NodeRow*>& nodes);
/// Write what was read in the same transaction, under the lock of the namespace's zone: everything but the owner; the denial alone; the
/// count alone.
void UpdateNodes(Transaction& transaction, const std::vector<const NodeRow*>& nodes);
void UpdateDenials(Transaction& transaction, const std::vector<const NodeRow*>& nodes);
void UpdateChildCounts(Transaction& transaction, const std::vector<const NodeRow*>& nodes);
void DeleteNodes(Transaction& transaction, const std::vector<NodePlace>& places);

// The queue and what the registry wants published (published_queue.cc).

struct DirtyBatches {
  std::vector<std::int64_t> batch_ids;
  std::vector<std::int64_t> revocation_ids;  // those of them that are first in line: they take records out
  std::int64_t identity_count = 0;
  bool about_authority = false;  // one of them is about the namespace's authority
  bool more = false;             // the queue holds others
};

/// Takes batches in order, revocations first and by themselves, until they hold `identities_max` identities (always at least one batch).
DirtyBatches TakeDirtyBatches(Transaction& transaction, std::int32_t namespace_id, std::int64_t identities_max);
/// Says whether a revocation is in line in any namespace but those, also one that was committed after the transaction began.
bool RevocationWaits(Transaction& transaction, std::span<const std::int32_t> but_for);
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
  std::vector<std::int64_t> batch_ids;  // those that speak of it, ascending
};
/// Returns what the registry says now of every identity in those batches, each identity once.
std::vector<DesiredIdentity> LoadDesired(Transaction& transaction, std::int32_t namespace_id, const std::vector<std::int64_t>& batch_ids);
/// Returns the TLSA RDATA of the namespace's authority, or nothing.
std::optional<Octets> LoadAuthority(Transaction& transaction, std::int32_t namespace_id);

// The journal (published_journal.cc).

struct VersionRow {
  std::int32_t zone_id = 0;
  zone::ZonePosition position;
  dns::Serial previous_serial = 0;
  Octets previous_digest;
  std::vector<dns::RrType> types;
  Octets delta;
};
void InsertVersions(Transaction& transaction, const std::vector<VersionRow>& versions);

/// Where the zones stood in which a batch was published.
struct BatchRow {
  std::int64_t batch_id = 0;
  std::vector<std::pair<std::int32_t, zone::ZonePosition>> zones;  // at least one
};
/// Records in which versions the batches were published.
void InsertBatches(Transaction& transaction, const std::vector<BatchRow>& batches);

/// Records until when what those batches took out of the zone may still be believed.
void InsertQuarantine(Transaction& transaction, std::int32_t namespace_id, const std::vector<std::int64_t>& batch_ids, UnixTime ends_at);

/// The journal is a ring of slots (migrations/0008_journal_slots.sql): versions are kept for followers at most so long, and about so
/// many octets of them.
inline constexpr int kJournalSlots = 8;
struct JournalLimits {
  std::chrono::seconds keep{0};
  std::int64_t octets_max = 0;
};
/// Goes on with the next slot, emptied of the oldest versions, when the current one has had its share of the time or of the room.
/// Returns whether it did. Nothing is done while another signer is at it.
bool RotateJournal(Transaction& transaction, const JournalLimits& limits);
/// Drops old batch rows of all zones, a bounded number at a time. Returns how many went.
std::int64_t PruneBatches(Transaction& transaction, UnixTime kept_since);

}  // namespace idzone::store
