// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/core/base/octets.h"

/// The allow-list. A type that is not an RrType here cannot be stored, journalled, fed, replicated or answered:
/// every decoder in idzone goes through AllowedRrType().
namespace idzone::dns {

/// Source: IANA "Resource Record (RR) TYPEs".
enum class RrType : std::uint16_t {
  kNs = 2,
  kSoa = 6,
  kDs = 43,
  kSshfp = 44,
  kRrsig = 46,
  kNsec = 47,
  kDnskey = 48,
  kNsec3 = 50,
  kNsec3Param = 51,
  kTlsa = 52,
  kSmimea = 53,
  kCds = 59,
  kCdnskey = 60,
  kOpenPgpKey = 61,
};

/// Returns the type if an RRset of it may be stored at a name. RRSIG, NSEC and NSEC3 are not stored as RRsets: they
/// have places of their own in a node (zone/node.h).
std::optional<RrType> AllowedRrType(std::uint16_t code);

/// Returns the mnemonic, for example "TLSA".
std::string RrTypeName(RrType type);

/// Returns the type bitmap of NSEC and NSEC3 records (RFC 4034 §4.1.2). The order of `types` does not matter.
Octets EncodeTypeBitmap(std::vector<RrType> types);

}  // namespace idzone::dns
