// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/dns/name.h"
#include "services/core/dns/rr_type.h"
#include "services/core/dns/rrset.h"

namespace idzone::dns {

/// Returns one record as a master file line without line end, owner and names fully qualified (RFC 1035 §5.1), as
/// ldns writes it. `type` may be any RrType. Requires: RDATA that a decoder of ours accepted.
std::string FormatRecord(const Name& owner, Ttl ttl, RrType type, OctetsView rdata);

/// Returns NS RDATA: the name in wire form.
Octets EncodeNs(const Name& server);

/// The numbers of an SOA record (RFC 1035 §3.3.13), seconds.
struct SoaFields {
  Name primary;
  Name mailbox;
  std::uint32_t serial = 1;
  std::uint32_t refresh = 0;
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
};
Octets EncodeSoa(const SoaFields& soa);
Result<SoaFields> ParseSoa(OctetsView rdata);

}  // namespace idzone::dns
