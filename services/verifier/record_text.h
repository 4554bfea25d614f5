// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/dns/rr_type.h"

namespace idzone::verifier {

/// Returns a record as a master file has it: "TLSA 3 1 1 d2ab…", "SSHFP 4 2 09a1…", "OPENPGPKEY mQIN…". What is malformed is shown
/// in hex.
std::string RecordText(dns::RrType type, OctetsView rdata);

}  // namespace idzone::verifier
