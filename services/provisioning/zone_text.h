// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/zone/node.h"

namespace idzone::provisioning {

/// What a node's text depends on besides the node.
struct ExportedZone {
  dns::Name name;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
  dns::Ttl denial_ttl = 0;  // the zone's negative TTL
};

/// Appends a node's records to master file text: its RRsets with their signatures, then its NSEC3 or NSEC record, which
/// follows from the node, with its signature. ENCODING_MALFORMED when the node's place in the chain is none of that zone.
Result<void> AppendNode(std::string& text, const ExportedZone& zone, OctetsView denial_key, const zone::Node& node);

/// Returns the TTL of a zone's denial records: the lesser of the SOA's TTL and its MINIMUM (RFC 9077 §3.2).
/// RECORD_MALFORMED when the apex has no SOA.
Result<dns::Ttl> DenialTtl(const zone::Node& apex);

}  // namespace idzone::provisioning
