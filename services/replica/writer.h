// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"
#include "services/replica/environment.h"
#include "services/replica/format.h"

namespace idzone::replica {

/// Where the replica stands with a zone, and the keys that it trusts for it.
struct ZoneState {
  dns::Name zone;
  zone::ZonePosition position;                       // an empty digest: pinned, but nothing held yet
  std::vector<Octets> pins;                          // opaque to the replica: the follower's DNSKEY or DS RDATA
  dns::DenialKind denial = dns::DenialKind::kNsec3;  // of what is held

  friend bool operator==(const ZoneState&, const ZoneState&) = default;
};

/// One zone's step from one version to the next.
struct VersionWrite {
  dns::Name zone;
  zone::ZonePosition previous;
  zone::ZonePosition next;
  std::vector<zone::NodeChange> changes;
  std::vector<Octets> pins{};  // replace the zone's, unless empty
};

/// Writes the replica. Each call that returns success is durable (fsync), with data and position in one transaction;
/// each that fails has changed nothing that a reader sees. It believes what it is given: the follower has verified.
/// Errors: LIMIT_EXCEEDED when the map is full (replica.map_size_mib), INTERNAL for what LMDB reports otherwise.
/// Threads: one owner. One environment a process: a process that writes also reads through this object.
class ReplicaWriter {
 public:
  /// Opens or creates the replica, clears readers that died, removes what interrupted snapshots and flips left.
  /// SCHEMA_MISMATCH when the file has another format version.
  static Result<std::unique_ptr<ReplicaWriter>> Open(const std::string& directory, std::size_t map_octets);

  /// Returns every zone that is held or pinned, ascending by wire form.
  Result<std::vector<ZoneState>> Zones() const;
  /// Returns one zone's state, or nothing.
  Result<std::optional<ZoneState>> FindZone(const dns::Name& zone) const;
  /// Returns a node of the zone as it is now, or nothing.
  Result<std::optional<zone::Node>> ReadNode(const dns::Name& zone, const dns::DenialKey& key) const;

  /// Returns how many nodes the zone has; 0 when it is not held. It walks them: a tenth of a second for a million.
  Result<std::uint64_t> CountNodes(const dns::Name& zone) const;

  /// Moves each zone from where it must stand to where it then does and applies its changes; replaces the zones in `replaced` by
  /// their snapshots under way, as CommitSnapshot does (a parent's delegation and its child become visible together). All of it in
  /// one transaction. DIGEST_MISMATCH when a zone stands elsewhere (or is not held); VERSION_GAP when a change speaks of a node that
  /// is not there, or a snapshot is torn. Either way nothing has changed, and a snapshot will help. Requires: each zone once.
  Result<void> ApplyVersions(const std::vector<VersionWrite>& versions, const std::vector<dns::Name>& replaced = {});
  /// The same for one zone.
  Result<void> ApplyVersion(const dns::Name& zone, const zone::ZonePosition& previous, const zone::ZonePosition& next,
                            const std::vector<zone::NodeChange>& changes, const std::vector<Octets>& pins = {}) {
    return ApplyVersions({{zone, previous, next, changes, pins}});
  }

  /// A snapshot fills a new generation beside the one that is being served, in as many transactions as there are calls
  /// of AddNodes, and replaces it in one. Each zone has at most one snapshot under way; a new Begin abandons it.
  Result<void> BeginSnapshot(const dns::Name& zone, const zone::ZonePosition& position, dns::DenialKind denial = dns::DenialKind::kNsec3);
  /// Adds whole nodes (data and denial both there), ascending by key across calls; VERSION_GAP otherwise.
  Result<void> AddNodes(const dns::Name& zone, const std::vector<zone::NodeChange>& nodes);
  /// Makes the snapshot the zone, its pins with it (empty: they stay as they are), and removes the old generation in
  /// bounded steps; the snapshots of `others` with it, in the same transaction.
  /// VERSION_GAP when the nodes' denial chain is not closed or the apex is missing: a torn snapshot.
  Result<void> CommitSnapshot(const dns::Name& zone, const std::vector<Octets>& pins, const std::vector<dns::Name>& others = {});
  /// Forgets a snapshot under way and removes its nodes. No snapshot: nothing happens.
  Result<void> AbandonSnapshot(const dns::Name& zone);

  /// Replaces a zone's pins; the zone need not be held yet.
  Result<void> SetPins(const dns::Name& zone, const std::vector<Octets>& pins);
  /// Removes a zone with its pins.
  Result<void> RemoveZone(const dns::Name& zone);

  /// Returns the environment, for a reader in the same process.
  const std::shared_ptr<Environment>& environment() const { return environment_; }

 private:
  struct Filling {
    Generation generation = 0;
    zone::ZonePosition position;
    dns::DenialKind denial = dns::DenialKind::kNsec3;
    dns::DenialKey first_key;
    dns::DenialKey last_key;
    dns::DenialKey last_next;  // as a key
    bool has_apex = false;
  };

  /// Makes a snapshot under way the zone, within the transaction; notes the generation that is to be removed then.
  Result<void> Flip(WriteTransaction& transaction, const dns::Name& zone, const std::vector<Octets>& pins, std::vector<Generation>& old);
  /// After the commit: forgets the snapshots and removes what they replaced.
  void FinishFlips(const std::vector<dns::Name>& zones, const std::vector<Generation>& old);

  explicit ReplicaWriter(std::shared_ptr<Environment> environment) : environment_(std::move(environment)) {}

  std::shared_ptr<Environment> environment_;
  std::map<dns::Name, Filling> fillings_;
  bool leftovers_ = false;  // a generation could not be removed
};

}  // namespace idzone::replica
