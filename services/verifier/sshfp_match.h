// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "services/core/identity/key_material.h"
#include "services/verifier/match.h"

/// Compares an SSH key with SSHFP records, as an SSH client does with a host's key and our sshd helper with a user's. Pure: the
/// records must already be known to be secure. Source: RFC 4255 §2.4 and §3.1, RFC 6594 §4, RFC 7479, RFC 8709 §7.
/// Limits: SHA-256 only. RFC 6594 §4 lets a verifier ignore SHA-1 where there is SHA-256; we always do.
namespace idzone::verifier {

/// Returns whether `key` matches one of the records: its algorithm is theirs and SHA-256 of its blob their fingerprint.
/// A key that did not come as an OpenSSH public key matches none.
Match MatchSshfp(const std::vector<Octets>& rdatas, const identity::KeyMaterial& key);

/// Returns "4 2 09a1…", or the octets in hex when they are no SSHFP RDATA.
std::string FormatSshfp(OctetsView rdata);

}  // namespace idzone::verifier
