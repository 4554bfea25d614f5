// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "services/core/dns/name.h"

/// What a namespace's identities are: its first label says so, and no protocol but its own reads names under that label.
namespace idzone::zone {

/// The numbers are not stored: the name is.
enum class NamespaceKind : std::uint8_t {
  kDevice,           // `_device.<organisation>`: devices, TLSA and SSHFP (draft-ietf-dance-client-auth format 2)
  kUser,             // `_user.<domain>`: the domain's CA at the apex, persons below
  kMailKey,          // `_openpgpkey.<domain>`: OPENPGPKEY at the hash of the local part (RFC 7929 §3)
  kMailCertificate,  // `_smimecert.<domain>`: SMIMEA at the same hash (RFC 8162 §3)
  kService,          // `_<service>.<host>`: one service's client, at the apex (draft-ietf-dance-client-auth format 1)
};

/// Returns the kind of a namespace. Requires: CheckApex accepted the name.
NamespaceKind KindOf(const dns::Name& apex);

/// Checks that `apex` may be the apex of a namespace: a first label as above, whose service name is one of RFC 6335 §5.1 that no
/// other protocol reads in the DNS; labels of host names; no label by which certification authorities prove control of a domain;
/// room for an NSEC3 label. ZONE_APEX_FORBIDDEN says which.
Result<void> CheckApex(const dns::Name& apex);

}  // namespace idzone::zone
