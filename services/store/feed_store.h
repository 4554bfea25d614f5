// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"

namespace idzone::store {

class Database;

/// All SQL of the feed: it reads what is published, and writes only where its edges, and the foreign secondaries of some, stand.
/// Nothing here costs more with the size of a zone, but for ReadFeedSnapshot, which reads one once.

/// Returns the settings of the feed's sessions: on a young zone, without statistics, the planner would scan it.
std::vector<std::pair<std::string, std::string>> FeedSessionSettings();

struct FeedZone {
  std::int32_t zone_id = 0;
  dns::Name name;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  zone::ZonePosition position;
  std::optional<dns::Name> parent;  // the zone that delegates to it; none: the external parent does
};

/// One version as the journal holds it. Nothing in it is believed yet.
struct FeedVersion {
  zone::ZonePosition position;
  dns::Serial previous_serial = 0;
  Octets previous_digest;
  bool oversized = false;  // the delta is greater than was asked for, and therefore not here
  Octets delta;
};

/// How much of the journal one call reads.
struct JournalSlice {
  std::int64_t versions_max = 0;
  std::int64_t octets_max = 0;  // of all deltas; the first version is always there
  std::int64_t delta_max = 0;   // of one delta
};

/// Returns every zone and where it stands, at one moment, children before their parents.
Result<std::vector<FeedZone>> ListFeedZones(Database& database);

/// A zone, and where a reader of its journal stands.
struct JournalPlace {
  std::int32_t zone_id = 0;
  zone::ZonePosition after;
};

/// Returns the versions that the journal holds after each place, by zone, in order (RFC 1982), as far as the slice allows for each:
/// one statement for all. They need not follow the position without a gap: the caller looks. Requires: each zone once.
Result<std::map<std::int32_t, std::vector<FeedVersion>>> ReadJournals(Database& database, const std::vector<JournalPlace>& places,
                                                                      const JournalSlice& slice);

/// What a snapshot is handed to. An error from either ends the reading and is returned by it.
struct FeedSnapshotSink {
  std::function<Result<void>(const zone::ZonePosition& position, std::uint64_t node_count, const zone::NodeChange& apex)> begin;
  /// Whole nodes, ascending by key, the apex among them.
  std::function<Result<void>(const std::vector<zone::NodeChange>& nodes)> nodes;
};

/// Reads a zone and its nodes in one REPEATABLE READ transaction, a page at a time.
/// RECORD_TYPE_FORBIDDEN, ENCODING_MALFORMED and the like when a row holds what it must not.
Result<void> ReadFeedSnapshot(Database& database, const FeedZone& zone, const FeedSnapshotSink& sink);

struct FoundEdge {
  std::string edge_id;
  std::int64_t registered_at = 0;  // microseconds since 1970: who was removed and registered again is another one
};
/// Returns the edge with that key; NOT_FOUND.
Result<FoundEdge> FindEdgeByFingerprint(Database& database, OctetsView fingerprint);

struct EdgePosition {
  std::string edge_id;
  std::int32_t zone_id = 0;
  zone::ZonePosition position;  // epoch 0: the edge holds nothing
};

/// Records where edges stand, in one statement. Requires: one position for an edge and zone.
Result<void> WriteEdgePositions(Database& database, const std::vector<EdgePosition>& positions);

struct SecondaryPosition {
  std::string secondary_id;
  std::int32_t zone_id = 0;
  bool serves = false;
  zone::Epoch epoch = 0;
  dns::Serial serial = 0;
};

/// The foreign secondaries of one transfer host: all of them, and where some stand.
struct EdgeSecondaries {
  std::string edge_id;
  std::chrono::seconds notify_period{0};
  std::vector<std::string> secondary_ids;
  std::vector<SecondaryPosition> positions;  // those of others are left out
};

/// Records them. Requires: one position for a secondary and zone.
Result<void> WriteSecondaries(Database& database, const EdgeSecondaries& secondaries);

}  // namespace idzone::store
