// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "services/core/base/octets.h"

namespace idzone::identity {

/// The quick way for what factories send: P-256 keys in their plain form, alone or in a certificate. OpenSSL 3.0 decodes the
/// key of every certificate through its provider machinery, which takes ten times as long as all the rest together.
///
/// These functions only ever accept, and only what OpenSSL's own decoders accept with the same result; about everything else
/// they say nothing, and the caller goes the long way, so that each refusal is the long way's.

/// Says whether DER is one SubjectPublicKeyInfo of id-ecPublicKey, named curve P-256, with an uncompressed point
/// (RFC 5480 §2) that lies on the curve.
bool IsPlainP256(OctetsView spki);

/// Returns the SubjectPublicKeyInfo of a DER certificate when IsPlainP256 holds for it and nothing follows the certificate.
/// All other fields are read by OpenSSL's own templates.
std::optional<Octets> PlainP256Of(OctetsView certificate);

}  // namespace idzone::identity
