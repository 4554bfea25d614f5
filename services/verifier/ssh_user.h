// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <vector>

#include "services/verifier/verifier.h"

namespace idzone::verifier {

/// Asks for SSHFP records at each of the names, then for TLSA records of the key's SubjectPublicKeyInfo, until the key is found:
/// how a user's key is looked for by an sshd. Returns the finding that matched, else the last one that was not "no record", so
/// that it says best what is wrong. Nothing is asked any more when `deadline` is over.
/// Requires: at least one name; `key` came as an OpenSSH public key.
Finding FindSshKey(Verifier& verifier, const std::vector<dns::Name>& names, const identity::KeyMaterial& key,
                   std::chrono::milliseconds deadline);

}  // namespace idzone::verifier
