// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/core/base/octets.h"

/// The two forms of a P-256 signature, turned into each other without OpenSSL's big numbers, which would cost a twentieth of
/// what the signature itself does. DNSSEC's is r and s in 32 octets each (RFC 6605 §4); OpenSSL's is DER, SEQUENCE of two INTEGERs:
///   30 44 | 02 20 <r> | 02 20 <s>       shorter for small numbers, with 00 before one that would look negative
namespace idzone::dns {

inline constexpr std::size_t kEcdsaP256SignatureOctets = 64;

/// Returns r||s; nothing when `der` is not the DER of two numbers of at most 256 bits.
std::optional<Octets> RawOfDer(OctetsView der);

/// Returns the DER. Requires: 64 octets.
Octets DerOfRaw(OctetsView raw);

}  // namespace idzone::dns
