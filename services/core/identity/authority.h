// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/identity/key_material.h"

namespace idzone::identity {

/// Reads the certificate of a certification authority, in PEM or DER, to be published with usage 2. Refuses what
/// KeyMaterial::Parse refuses of a certificate, and with CERTIFICATE_NOT_CA one that may not sign certificates (RFC 5280
/// §4.2.1.9: basicConstraints with cA; §4.2.1.3: keyCertSign, when there is keyUsage): no chain through it would validate.
/// Limits: expiry is not looked at, for the clock is not ours; a chain through an expired authority fails at its verifier.
Result<KeyMaterial> ParseAuthority(OctetsView certificate);

}  // namespace idzone::identity
