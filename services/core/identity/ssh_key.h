// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "services/core/base/octets.h"

/// OpenSSH public keys, as `ssh-keygen` writes them into `.pub` files: "ssh-ed25519 AAAA… comment".
namespace idzone::identity {

inline constexpr std::string_view kSshField = "ssh_public_key";
inline constexpr std::string_view kSshThing = "one OpenSSH public key line";

struct SshKey {
  Octets blob;                       // RFC 4253 §6.6, what SSHFP hashes
  std::uint8_t sshfp_algorithm = 0;  // IANA "SSHFP RR Types for public key algorithms"
  Octets spki;                       // the same key as DER SubjectPublicKeyInfo
};

/// Reads exactly one line. The blob must be the one encoding of its key: the type inside is the type outside, numbers are
/// minimal and positive (RFC 4251 §5), points lie on their curve and are uncompressed (RFC 5656 §3.1), nothing follows.
/// MATERIAL_MALFORMED (also options or a host name in front), MATERIAL_TRAILING_BYTES (several keys), MATERIAL_WRONG_KIND (a
/// private key, a PEM block, the format of RFC 4716), KEY_TOO_WEAK (DSA, RSA under 2048 bits), KEY_UNSUPPORTED (certificates
/// and keys of security tokens: neither has an SSHFP number). All name `ssh_public_key`.
Result<SshKey> ParseSshKey(std::string_view line);

/// Returns whether text begins as a public key line does, to name it where something else was expected.
bool LooksLikeSshKey(std::string_view text);

}  // namespace idzone::identity
