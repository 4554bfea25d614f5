// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "services/core/dns/name.h"

namespace idzone::dns {

/// IANA "DNS Security Algorithm Numbers".
inline constexpr std::uint8_t kAlgorithmEcdsaP256Sha256 = 13;
inline constexpr std::uint8_t kAlgorithmEd25519 = 15;
/// DNSKEY flags: zone key and secure entry point (RFC 4034 §2.1.1): a combined signing key.
inline constexpr std::uint16_t kFlagsCsk = 257;

/// Returns DNSKEY RDATA (RFC 4034 §2.1). `public_key` is x||y for P-256 (RFC 6605 §4), the key's own 32 octets for
/// Ed25519 (RFC 8080 §3).
Octets EncodeDnskey(std::uint16_t flags, std::uint8_t algorithm, OctetsView public_key);

/// Returns the key tag of DNSKEY RDATA (RFC 4034 Appendix B). A hint only: keys are named by their SPKI's digest.
std::uint16_t KeyTag(OctetsView dnskey_rdata);

/// Returns the RDATA of the DS record with digest type 2, SHA-256 (RFC 4509).
Octets EncodeDs(const Name& zone, OctetsView dnskey_rdata);

}  // namespace idzone::dns
