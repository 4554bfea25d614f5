// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "services/core/zone/node.h"
#include "services/store/registry_record.h"

/// Looking at signed zones from the registry's side: what an operator may see of his own.
namespace idzone::store {

class Database;

struct ZoneKeyRecord {
  Octets key_id;
  std::uint16_t key_tag = 0;
  std::uint8_t algorithm = 0;
  Octets dnskey{};
  bool in_ds = false;  // parents should publish its DS record
};

struct ZoneRecord {
  dns::Name name;
  std::string namespace_name;
  std::string operator_id;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  zone::ZonePosition position;
  std::uint64_t node_count = 0;
  UnixTime last_signed_at{};
  std::vector<ZoneKeyRecord> keys{};
  std::vector<dns::RrSet> apex{};  // the RRsets at the zone's own name
  std::vector<EdgePositionRecord> edges{};
};

/// NOT_FOUND.
Result<ZoneRecord> FindZone(Database& database, const dns::Name& name);
/// Ascending by name as text; only those of an operator unless `operator_id` is empty. `page.after` is a name.
Result<std::vector<ZoneRecord>> ListZones(Database& database, const std::string& operator_id, const PageOf& page);

/// Reads one version of a zone, whole, in one snapshot: `take` gets every node, the apex first, with its key. An error
/// that it returns ends the reading. Limits: a few hundred nodes are in memory at a time.
using TakeNode = std::function<Result<void>(OctetsView denial_key, const zone::Node& node)>;
Result<void> ReadZone(Database& database, const dns::Name& name, const TakeNode& take);

}  // namespace idzone::store
