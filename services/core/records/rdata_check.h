// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/octets.h"
#include "services/core/dns/rr_type.h"

namespace idzone::records {

/// Checks the RDATA of an identity's record from anywhere but the functions that make it (a database row, a foreign file): SSHFP,
/// TLSA, SMIMEA or OPENPGPKEY. RECORD_MALFORMED names the type; RECORD_TYPE_FORBIDDEN for any other, which no identity has.
Result<void> CheckRdata(dns::RrType type, OctetsView rdata);

}  // namespace idzone::records
