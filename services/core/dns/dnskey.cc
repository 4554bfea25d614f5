// SPDX-License-Identifier: MIT
#include "services/core/dns/dnskey.h"

namespace idzone::dns {

Octets EncodeDnskey(std::uint16_t flags, std::uint8_t algorithm, OctetsView public_key) {
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U16(flags);
  writer.U8(3);  // RFC 4034 §2.1.2: the protocol field is always 3.
  writer.U8(algorithm);
  writer.Raw(public_key);
  return rdata;
}

std::uint16_t KeyTag(OctetsView dnskey_rdata) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < dnskey_rdata.size(); ++i) {
    const std::uint32_t octet = static_cast<std::uint8_t>(dnskey_rdata[i]);
    sum += (i & 1) != 0 ? octet : octet << 8;
  }
  sum += sum >> 16 & 0xffff;
  return static_cast<std::uint16_t>(sum & 0xffff);
}

Octets EncodeDs(const Name& zone, OctetsView dnskey_rdata) {
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U16(KeyTag(dnskey_rdata));
  writer.U8(static_cast<std::uint8_t>(dnskey_rdata[3]));
  writer.U8(2);
  writer.Raw(Sha256(zone.wire() + Octets(dnskey_rdata)));
  return rdata;
}

}  // namespace idzone::dns
