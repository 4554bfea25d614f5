// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/base/octets.h"
#include "services/core/identity/subject.h"

namespace idzone::identity {

/// Octets of a namespace's secret: as many as the digest that it keys.
inline constexpr std::size_t kNamespaceSecretOctets = 32;
inline constexpr std::size_t kPrivateLabelOctets = 32;

/// Returns the label that stands for a subject where names do not show ids: the first 160 bits of HMAC-SHA-256(secret, text)
/// in base32hex, 32 characters. A plain hash would let anybody test guesses (RFC 7929 §7.4); 160 bits never meet by chance.
/// Requires: the secret of the subject's namespace, 32 octets.
std::string PrivateLabel(OctetsView secret, const Subject& subject);

}  // namespace idzone::identity
