// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/core/identity/key_material.h"

/// TLSA and SMIMEA records made from key material; nobody types RDATA. SMIMEA has the format of TLSA (RFC 8162 §2).
/// Source: RFC 6698 §2.1, RFC 7671 §5.1 and §5.2.
namespace idzone::records {

/// Which record a namespace publishes for a key. One profile a namespace, never changed: within one RRset every key then
/// has the same digest types, which digest agility needs (RFC 7671 §9). The numbers are stored and sent.
enum class RecordProfile : std::uint8_t {
  kTlsa311 = 1,  // DANE-EE, SPKI, SHA-256: the default
  kTlsa312 = 2,  // DANE-EE, SPKI, SHA-512
  kTlsa301 = 3,  // DANE-EE, certificate, SHA-256: breaks when the certificate is renewed
  kTlsa310 = 4,  // DANE-EE, SPKI in full: for consumers that must fetch the key itself
  kTlsa300 = 5,  // DANE-EE, certificate in full: for consumers that must fetch it (S/MIME, JOSE)
};

/// Returns "3 1 1" and so on.
std::string_view ProfileText(RecordProfile profile);
/// Reads "3 1 1", "3-1-1" or "311". ENUM_UNKNOWN otherwise.
Result<RecordProfile> ParseProfile(std::string_view text);

/// Returns TLSA (and SMIMEA) RDATA. LIMIT_EXCEEDED when what is published in full has over 4093 octets. PROFILE_NEEDS_CERTIFICATE when the
/// profile publishes a certificate, or its digest, and there is none.
Result<Octets> MakeTlsa(RecordProfile profile, const identity::KeyMaterial& key);

/// Checks TLSA RDATA from anywhere else (a database row, a foreign file): known numbers, digest lengths, no usage 0/1.
Result<void> CheckTlsa(OctetsView rdata);
/// The same for SMIMEA.
Result<void> CheckSmimea(OctetsView rdata);

/// Returns the TLSA RDATA of a certification authority: 2 0 0, the certificate in full, or 2 0 1, its SHA-256. Not its SPKI alone,
/// which would lose the constraints that the certificate sets (RFC 7671 §5.2). LIMIT_EXCEEDED for over 4093 octets in full.
/// Requires: what identity::ParseAuthority returned.
Result<Octets> MakeAuthorityTlsa(bool full, const identity::KeyMaterial& authority);

}  // namespace idzone::records
