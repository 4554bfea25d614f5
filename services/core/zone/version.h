// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "services/core/base/octets.h"
#include "services/core/dns/serial.h"

/// A zone's versions form a chain: each names its predecessor by digest, so that a follower can never mistake an older
/// or a different history for a newer one.
namespace idzone::zone {

/// Rises whenever the database may have gone back in time (restore, failover without its last commits).
using Epoch = std::uint32_t;

/// Where a zone, or a follower of it, stands.
struct ZonePosition {
  Epoch epoch = 0;
  dns::Serial serial = 0;
  Octets digest;  // 32 octets; empty: nothing yet

  friend bool operator==(const ZonePosition&, const ZonePosition&) = default;
};

/// Returns the digest of a version: SHA-256(previous digest · u32 epoch · u32 serial · delta).
Octets VersionDigest(OctetsView previous_digest, Epoch epoch, dns::Serial serial, OctetsView delta);

}  // namespace idzone::zone
