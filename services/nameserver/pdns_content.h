// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <memory>

#include "pdns/dnsparser.hh"

#include "services/core/base/octets.h"

namespace idzone::nameserver {

/// Returns PowerDNS's form of RDATA. Most types are copied octet by octet, which costs a third of parsing them. PowerDNS
/// casts the content of some to their own classes without a check: RRSIG is a subclass of its class with the field set
/// that it reads; SOA, NS and whatever may carry a name come from its own parser.
/// Throws what the parser throws when it cannot read the octets.
std::shared_ptr<DNSRecordContent> MakePdnsContent(std::uint16_t type, OctetsView rdata);

}  // namespace idzone::nameserver
