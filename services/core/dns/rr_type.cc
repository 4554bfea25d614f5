// SPDX-License-Identifier: MIT
#include "services/core/dns/rr_type.h"

#include <algorithm>

namespace idzone::dns {

std::optional<RrType> AllowedRrType(std::uint16_t code) {
  const auto type = static_cast<RrType>(code);
  switch (type) {
    case RrType::kNs:
    case RrType::kSoa:
    case RrType::kDs:
    case RrType::kSshfp:
    case RrType::kDnskey:
    case RrType::kNsec3Param:
    case RrType::kTlsa:
    case RrType::kSmimea:
    case RrType::kCds:
    case RrType::kCdnskey:
    case RrType::kOpenPgpKey: return type;
    case RrType::kRrsig:
    case RrType::kNsec:
    case RrType::kNsec3: return std::nullopt;
  }
  return std::nullopt;
}

std::string RrTypeName(RrType type) {
  switch (type) {
    case RrType::kNs: return "NS";
    case RrType::kSoa: return "SOA";
    case RrType::kDs: return "DS";
    case RrType::kSshfp: return "SSHFP";
    case RrType::kRrsig: return "RRSIG";
    case RrType::kNsec: return "NSEC";
    case RrType::kDnskey: return "DNSKEY";
    case RrType::kNsec3: return "NSEC3";
    case RrType::kNsec3Param: return "NSEC3PARAM";
    case RrType::kTlsa: return "TLSA";
    case RrType::kSmimea: return "SMIMEA";
    case RrType::kCds: return "CDS";
    case RrType::kCdnskey: return "CDNSKEY";
    case RrType::kOpenPgpKey: return "OPENPGPKEY";
  }
  return "TYPE" + std::to_string(static_cast<std::uint16_t>(type));
}

Octets EncodeTypeBitmap(std::vector<RrType> types) {
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  // Every allowed type is below 256, so the bitmap is window block 0 alone.
  Octets bits;
  for (const RrType type : types) {
    const auto code = static_cast<std::uint16_t>(type);
    IDZONE_INVARIANT(code < 256, "every type of the allow-list lies in window block 0");
    const std::size_t octet = code / 8;
    if (bits.size() <= octet) bits.resize(octet + 1, '\0');
    bits[octet] = static_cast<char>(static_cast<std::uint8_t>(bits[octet]) | (0x80 >> (code % 8)));
  }
  if (bits.empty()) return {};
  Octets bitmap;
  OctetWriter writer(bitmap);
  writer.U8(0);
  writer.U8Sized(bits);
  return bitmap;
}

}  // namespace idzone::dns
