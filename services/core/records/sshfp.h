// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/identity/key_material.h"

/// SSHFP records made from OpenSSH public keys. Source: RFC 4255 §3.1, RFC 6594, RFC 7479, RFC 8709 §7.
namespace idzone::records {

/// Returns SSHFP RDATA with SHA-256, the only digest that is published: RFC 6594 §4 prefers it, and SHA-1 is no longer one.
/// MATERIAL_WRONG_KIND when the key did not come as an OpenSSH public key.
Result<Octets> MakeSshfp(const identity::KeyMaterial& key);

/// Checks SSHFP RDATA from anywhere else: RSA, ECDSA, Ed25519 or Ed448, and SHA-256. RECORD_MALFORMED.
Result<void> CheckSshfp(OctetsView rdata);

}  // namespace idzone::records
