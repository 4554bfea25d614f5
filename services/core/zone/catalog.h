// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/dns/name.h"
#include "services/core/dns/serial.h"

/// The catalog zone of a transfer host (RFC 9432): from its list of zones secondaries learn which zones there are. The one
/// zone with other types than an identity zone's (PTR, TXT); it exists on transfer hosts only, and is no part of a replica.
namespace idzone::zone {

/// What `idzone-replicad` writes and the name server reads, a file of lines:
///
///   catalog catalog.example.
///   serial 1764040000
///   zone _device.acme.example.
///   zone _user.acme.example.
///
/// A zone comes by itself and never leaves by itself: secondaries drop what a catalog no longer lists, and a replica that
/// is lost or being filled must not look like a world without zones. To let one go, an operator deletes its line.
struct Catalog {
  dns::Name name;
  dns::Serial serial = 0;
  std::vector<dns::Name> zones;  // ascending

  friend bool operator==(const Catalog&, const Catalog&) = default;
};

/// VALUE_MALFORMED, VALUE_MISSING, NAME_MALFORMED, LIMIT_EXCEEDED; they name the line.
Result<Catalog> ParseCatalog(std::string_view text);
std::string FormatCatalog(const Catalog& catalog);

/// Adds the zones that are not there yet, all or, beyond limits::kCatalogZonesMax, none. Returns whether any was added. The
/// serial is not touched.
bool AddZones(Catalog& catalog, const std::vector<dns::Name>& zones);

/// Returns the serial that follows: the time, so that it rises even when the last one is forgotten, or one more.
dns::Serial NextCatalogSerial(dns::Serial last, UnixTime now);

}  // namespace idzone::zone
