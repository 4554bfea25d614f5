// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/dns/rr_type.h"
#include "services/core/records/profile.h"
#include "services/core/zone/namespace_kind.h"

namespace idzone::zone {

/// What a caller says that he offers. The numbers are not stored.
enum class OfferedKind { kCertificate, kCertificateRequest, kPublicKey, kSshPublicKey, kOpenPgpKey };

/// What a key is published as.
struct IdentityKeyRecord {
  Octets fingerprint;
  dns::RrType type = dns::RrType::kTlsa;
  Octets rdata;
};

/// Makes the record of an offered key for a namespace of that kind:
///   devices, users, services   SSH keys become SSHFP, all others TLSA by the namespace's profile
///   `_smimecert`               SMIMEA by the profile (RFC 8162 §2: TLSA's format)
///   `_openpgpkey`              OPENPGPKEY
/// NAMESPACE_KIND_MISMATCH for what the kind does not publish; else as the parsers of the material.
Result<IdentityKeyRecord> MakeIdentityRecord(NamespaceKind kind, records::RecordProfile profile, OfferedKind offered, OctetsView octets);

}  // namespace idzone::zone
