// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/evp.h>

#include <string_view>

#include "services/core/base/error.h"

namespace idzone::identity {

/// Checks that a key is of a kind and size that a relying party should accept, whatever clothes it came in. Null is a key that
/// OpenSSL could not read. KEY_TOO_WEAK (RSA under 2048 bits or with a small exponent), KEY_UNSUPPORTED (not RSA, P-256, P-384,
/// P-521, Ed25519, Ed448, or RSA over 8192 bits); `field` is what the refusal names.
Result<void> CheckStrength(std::string_view field, const EVP_PKEY* key);

}  // namespace idzone::identity
