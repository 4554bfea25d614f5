// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/clock.h"
#include "services/core/zone/secondary.h"

namespace idzone::zone {

/// Returns a request with the TSIG record that signs it behind it, and ARCOUNT raised (RFC 8945 §4.2, §4.3.3).
/// Requires: a DNS message of at least 12 octets without a TSIG record. INTERNAL when OpenSSL fails.
Result<Octets> SignRequest(Octets message, const TsigKey& key, UnixTime now);

}  // namespace idzone::zone
