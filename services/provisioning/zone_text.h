// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/zone/node.h"

namespace idzone::provisioning {

/// Appends a node's records to master file text: its RRsets with their signatures, then its NSEC3 record, which follows
/// from the node, with its signature. `denial_key` is the node's hash, `denial_ttl` the zone's negative TTL.
void AppendNode(std::string& text, const dns::Name& zone, OctetsView denial_key, const zone::Node& node, dns::Ttl denial_ttl);

/// Returns the TTL of a zone's NSEC3 records: the lesser of the SOA's TTL and its MINIMUM (RFC 9077 §3.2).
/// RECORD_MALFORMED when the apex has no SOA.
Result<dns::Ttl> DenialTtl(const zone::Node& apex);

}  // namespace idzone::provisioning
