// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>

#include "services/replica/format.h"

/// When an edge must stop to answer. With everything behind it gone it serves on; once the signatures of what it would say
/// have expired, a resolver takes the answer for an attack, and who does not validate takes something for true that
/// may have been revoked since. So it says SERVFAIL then, name by name, and the whole zone when the apex has expired.
namespace idzone::nameserver {

/// A moment as RRSIG records have it (RFC 4034 §3.1.5): seconds since 1970 modulo 2^32, compared as serials are.
using RrsigTime = std::uint32_t;

/// Returns when the first of a node's RRsets has no valid signature any more; nothing: none of them is signed.
std::optional<RrsigTime> ExpiryOf(const replica::NodeView& node);
/// Returns when the last of a denial record's signatures expires (services/core/zone/denial_signatures.h).
std::optional<RrsigTime> DenialExpiryOf(OctetsView field);
/// Returns when that RRSIG RDATA expires; nothing when it is too short to say.
std::optional<RrsigTime> ExpiryOf(OctetsView rrsig);

/// SIGNATURE_INVALID once that moment has come.
Result<void> CheckNotExpired(std::optional<RrsigTime> expiry, RrsigTime now, OctetsView owner);

}  // namespace idzone::nameserver
