// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/identity/openpgp_key.h"
#include "services/verifier/match.h"

namespace idzone::verifier {

/// Returns whether the primary key of one of the OPENPGPKEY records (RFC 7929 §2.1) is that of `key`. User ids, subkeys and
/// signatures may differ: they change while the key stays. The records must already be known to be secure.
Match MatchOpenPgp(const std::vector<Octets>& rdatas, const identity::OpenPgpKey& key);

}  // namespace idzone::verifier
