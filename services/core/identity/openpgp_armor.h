// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/octets.h"

namespace idzone::identity {

inline constexpr std::string_view kOpenPgpField = "openpgp_key";

/// Returns whether the text holds an ASCII armor of OpenPGP or anything in its manner.
bool IsArmored(OctetsView octets);

/// Returns the octets of exactly one "PGP PUBLIC KEY BLOCK" (RFC 4880 §6.2), with nothing but white space around it. Its CRC-24 is
/// checked when it is there; RFC 9580 §6.1 wants it no more. MATERIAL_MALFORMED, MATERIAL_TRAILING_BYTES (several blocks),
/// MATERIAL_WRONG_KIND (another block, secret keys above all). All name `openpgp_key`.
Result<Octets> Dearmor(std::string_view text);

}  // namespace idzone::identity
