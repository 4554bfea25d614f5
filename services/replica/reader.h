// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/core/dns/name.h"
#include "services/replica/environment.h"
#include "services/replica/format.h"

namespace idzone::replica {

/// A zone as a snapshot shows it.
struct HeldZone {
  dns::Name zone;
  ZoneNumber number = 0;
  std::optional<ZoneRecord> record;  // nothing: it is damaged, and the zone cannot be answered from
};

struct HeldZones {
  std::vector<HeldZone> zones;  // ascending by number
  std::vector<Error> damages;   // what could not be read
};

/// Where a key falls in a zone's denial chain.
struct Place {
  NodeView node;
  bool exact = false;        // the node has that key; otherwise it is the one whose denial record covers the key
  bool names_below = false;  // not exact, but a longer key begins with it: in an NSEC zone, an empty non-terminal
};

/// What was changed since a place in the list of changes.
struct Changes {
  std::uint64_t last = 0;  // the newest place, to go on from
  bool gap = false;        // some are no longer listed, or cannot be read, or this file lists none: anything may have changed
  std::vector<ChangedName> names;
};

/// One moment of the replica: what every part of one answer is read from. Made once and renewed for each answer, since
/// that is cheaper than opening. Views are valid until the next Renew, and beyond it when it returned false.
/// Errors: ENCODING_MALFORMED for a value with a wrong checksum. Threads: one at a time; any.
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<Environment> environment) : transaction_(std::move(environment)) {}

  /// Takes the newest moment; returns whether anything was committed since the last one.
  Result<bool> Renew();
  /// Lets go: a held snapshot makes the file grow with every version.
  void Release();
  bool held() const { return transaction_.held(); }
  /// Returns the number of the commit that is seen (Environment::LastCommit). Requires: held.
  std::uint64_t commit() const { return transaction_.id(); }

  /// Returns the zones that are held. Damage to one of them does not hide the others.
  Result<HeldZones> Zones();
  /// Returns a zone by its apex in wire form, lower case; nothing when it is not served.
  Result<std::optional<ZoneRecord>> FindZone(OctetsView apex);
  /// Returns the apex of a zone number, or nothing.
  Result<std::optional<OctetsView>> FindApex(ZoneNumber number);

  /// Returns what was changed after that place in the list of changes.
  Result<Changes> ChangesAfter(std::uint64_t place);

  /// Returns the node of that key, or else the one that covers it (RFC 5155 §8.3, RFC 4035 §3.1.3): one probe of the tree
  /// either way. Nothing when the generation holds no node at all.
  Result<std::optional<Place>> Find(Generation generation, OctetsView key);
  /// Returns the node that follows `key` (which may be empty: the first one), or nothing at the end.
  Result<std::optional<NodeView>> After(Generation generation, OctetsView key);

 private:
  Result<Cursor*> Nodes();
  Result<std::optional<NodeView>> Decode(Generation generation, const std::optional<Cursor::Entry>& entry);

  ReadTransaction transaction_;
  std::optional<Cursor> nodes_;  // kept from snapshot to snapshot
  bool nodes_current_ = false;   // it has been moved to the one that is held
  std::optional<std::uint64_t> last_id_;
};

}  // namespace idzone::replica
