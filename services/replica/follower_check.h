// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/signature_verifier.h"
#include "services/core/zone/node.h"
#include "services/core/zone/version.h"
#include "services/replica/key_memory.h"

/// What a follower checks before it writes. Pure: it reads nodes through a function and takes the time as an argument.
/// A version must follow the replica's own position by serial and digest, its digest must be that of its octets, its
/// apex must carry its serial and keys that are pinned, and every record that is new must be signed by those keys: also
/// the denial record of each node, which is rebuilt from what the node will say (services/core/zone/node.h).
namespace idzone::replica {

/// Which signatures are verified. `sample` still verifies keys and all else that is new at an apex, the new SOA of one zone of each
/// message, and a part of the others and of all other nodes; `none` believes the feed, and is for hosts that have no time and another way
/// to notice.
enum class VerifyMode { kAll, kSample, kNone };
/// Returns the mode of "all", "sample" or "none"; ENUM_UNKNOWN.
Result<VerifyMode> ParseVerifyMode(std::string_view text);

/// A zone as the feed describes it.
struct FedZone {
  dns::Name name;
  dns::DenialKind denial = dns::DenialKind::kNsec3;
};

/// A version as it came from the feed.
struct FedVersion {
  zone::ZonePosition position;
  dns::Serial previous_serial = 0;
  Octets previous_digest;
  Octets delta;
};

/// Returns a node that the replica holds, or nothing.
using NodeReader = std::function<Result<std::optional<zone::Node>>(const dns::DenialKey&)>;

/// What the nodes of one zone are judged by.
struct ZoneJudge {
  FedZone zone;
  dns::SignatureVerifier keys;
  std::vector<std::pair<std::uint8_t, std::uint16_t>> shown;  // algorithm and tag of each key that the apex shows
  dns::Ttl negative_ttl = 0;                                  // of denial records: min(SOA TTL, SOA MINIMUM) (RFC 9077)
  VerifyMode mode = VerifyMode::kAll;
  UnixTime now;
  bool samples_soa = false;  // by `sample`, an apex of which the SOA alone is new is chosen as other nodes are
};

/// Checks that the version follows `own` and that its digest is right; decodes it.
/// VERSION_GAP, DIGEST_MISMATCH, and what DecodeDelta says.
Result<std::vector<zone::NodeChange>> CheckChain(const FedZone& zone, const zone::ZonePosition& own, const FedVersion& version);

/// Checks an apex: SOA with that serial, DNSKEY signed by a pinned key. Returns what the zone's nodes are judged by.
/// ENCODING_MALFORMED (no SOA or no DNSKEY, or the denial of another kind), VERSION_GAP (another serial), KEY_NOT_PINNED,
/// SIGNATURE_INVALID.
Result<ZoneJudge> CheckApex(const FedZone& zone, const std::vector<dns::RrSet>& apex, dns::Serial serial, const std::vector<Octets>& pins,
                            VerifyMode mode, UnixTime now, KeyMemory& memory);

/// Checks that the zone's denial records keep their TTL, because a version would leave most of them with the old one.
/// VERSION_GAP: only a snapshot can change it.
Result<void> CheckSameNegativeTtl(const ZoneJudge& judge, const NodeReader& read);

/// Checks the changes of a version: signatures of what is new, of the denial records as they will be. Records that the
/// replica already holds with the same signatures were verified when they came.
Result<void> CheckChanges(const ZoneJudge& judge, const std::vector<zone::NodeChange>& changes, const NodeReader& read);

/// Checks nodes of a snapshot: each whole, everything signed.
Result<void> CheckNodes(const ZoneJudge& judge, const std::vector<zone::NodeChange>& nodes);

}  // namespace idzone::replica
