// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>

#include "services/core/dns/name.h"
#include "services/replica/reader.h"

/// The zones that a snapshot shows. Errors: ENCODING_MALFORMED when the replica is damaged. Requires: a held snapshot.
namespace idzone::nameserver {

struct ServedZone {
  dns::Name apex;
  replica::ZoneRecord record;
};

/// Returns the zone of that apex, or nothing.
Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, const dns::Name& apex);
/// Returns the zone of that number, or nothing.
Result<std::optional<ServedZone>> FindServedZone(replica::Snapshot& snapshot, replica::ZoneNumber number);
/// Returns the zone that a name lies in, the longest one, or nothing.
Result<std::optional<ServedZone>> FindEnclosingZone(replica::Snapshot& snapshot, dns::Name name);

/// Returns the key by which a name at or below the apex is looked for. A client may ask for labels with 0x00 in them, which
/// no stored name has and a canonical key cannot spell: such a name gets a key of its own that falls where it would.
dns::DenialKey LookUpKey(const ServedZone& zone, const dns::Name& name);

/// Checks that a place which was found by a key, and has not exactly that key, is the one whose denial record covers it. Each
/// value has its checksum, but which one a look-up meets depends on pages that have none: in a damaged file it may be any.
Result<void> CheckCovers(const ServedZone& zone, const replica::Place& place, OctetsView key);

/// Returns the TTL of denial records and their RRSIGs: min(SOA TTL, MINIMUM), as PowerDNS has it (RFC 9077). `apex` is the
/// node of the apex, or null when there is none, which is an error.
Result<dns::Ttl> NegativeTtl(const ServedZone& zone, const replica::NodeView* apex);

}  // namespace idzone::nameserver
