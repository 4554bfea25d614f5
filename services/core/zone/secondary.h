// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/base/error.h"
#include "services/core/base/octets.h"
#include "services/core/dns/name.h"
#include "services/core/dns/rrset.h"

/// The foreign name servers that take zones from a transfer host by AXFR, and the keys that they show (RFC 8945).
namespace idzone::zone {

/// RFC 8945 §6 has more; what is older than SHA-256 is not offered.
enum class TsigAlgorithm { kHmacSha256, kHmacSha384, kHmacSha512 };

/// Returns the name as RFC 8945 §6 spells it, without the final dot: "hmac-sha256".
std::string_view TsigAlgorithmName(TsigAlgorithm algorithm);

struct TsigKey {
  dns::Name name;
  TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256;
  Octets secret;
};

/// Whether a text may be a secondary's id: as an edge's, because it is one to those who wait.
bool IsSecondaryId(std::string_view text);

struct Secondary {
  std::string id;
  std::string address;  // IPv4 or IPv6
  std::uint16_t port = 53;
  TsigKey key;
};

/// Returns how long after the edges a secondary may still serve what was revoked: a period until it is told, and an AXFR of so many
/// nodes. A node with a record, its place in the denial chain and two signatures has some 400 octets on the wire; 500 are counted, and a
/// link of 1 MiB/s. One that is told nothing asks by itself after the SOA's refresh time.
std::chrono::seconds SecondaryRevocationBound(std::chrono::seconds notify_period, std::uint64_t node_count);

/// Whether a policy of short TTLs (up to 60 s, as `fast` has) promises what such secondaries cannot keep.
bool IsTooSlowForSecondaries(dns::Ttl policy_ttl, std::chrono::seconds bound);

/// Reads the list of secondaries, one a line; `#` begins a comment. Each has a key of its own, so that one can be shut
/// out without the others' doing anything:
///
///   # id         address            key: algorithm:name:base64, as `kdig -y` takes it
///   ns-berlin    192.0.2.1          hmac-sha256:ns-berlin.transfer:m0lO5p3mTX8x2Xh7bA0m4k4wPZbV9p5wJ0yJf0zJ1sA=
///   ns-oslo      [2001:db8::1]:5353 hmac-sha512:ns-oslo.transfer:…
///
/// Errors name the line, never a secret. VALUE_MALFORMED; ENUM_UNKNOWN an algorithm; ALREADY_EXISTS an id or a key name
/// that is there twice; LIMIT_EXCEEDED.
Result<std::vector<Secondary>> ParseSecondaries(std::string_view text);

}  // namespace idzone::zone
