// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/core/base/error.h"

/// Octet strings and their spellings. An octet string is a std::string, because OpenSSL, protobuf, LMDB and
/// libpqxx all take one without a copy; the alias says which strings are octets and which are text.
namespace idzone {

using Octets = std::string;
using OctetsView = std::string_view;

/// Returns lower-case hexadecimal.
std::string HexEncode(OctetsView octets);
/// Returns the octets of an even number of hex digits of either case.
Result<Octets> HexDecode(std::string_view hex, std::string_view subject);

/// Returns base32hex without padding, lower case (RFC 4648 §7, as NSEC3 owner labels use it: RFC 5155 §3.3).
std::string Base32HexEncode(OctetsView octets);
/// Reads digits of either case; nothing when there is another character, or bits that are no whole octet.
std::optional<Octets> Base32HexDecode(std::string_view text);
/// Returns base64 with padding (RFC 4648 §4).
std::string Base64Encode(OctetsView octets);
/// Returns the octets of base64 as Base64Encode writes it: padded, no other characters, no bits left over. VALUE_MALFORMED.
Result<Octets> Base64Decode(std::string_view text, std::string_view subject);

/// Returns the digest as octets (32 and 64 of them).
Octets Sha256(OctetsView octets);
Octets Sha512(OctetsView octets);
/// Returns 20 octets. NSEC3 only (RFC 5155 §5); nothing else may use SHA-1.
Octets Sha1(OctetsView octets);

/// Appends big-endian numbers and length-prefixed octets to a buffer.
class OctetWriter {
 public:
  explicit OctetWriter(Octets& out) : out_(out) {}
  void U8(std::uint8_t value);
  void U16(std::uint16_t value);
  void U32(std::uint32_t value);
  void U64(std::uint64_t value);
  void Raw(OctetsView octets) { out_.append(octets); }
  /// Requires: at most 255 (U8Sized), 65,535 (U16Sized) or 2^32-1 (U32Sized) octets.
  void U8Sized(OctetsView octets);
  void U16Sized(OctetsView octets);
  void U32Sized(OctetsView octets);

 private:
  Octets& out_;
};

/// Reads what OctetWriter wrote, from untrusted octets: every length is checked before it is used. After the first
/// failure ok() is false and every read returns zero or an empty view, so that a parser may check once at its end.
class OctetReader {
 public:
  explicit OctetReader(OctetsView octets) : rest_(octets) {}
  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  OctetsView Raw(std::size_t count);
  OctetsView U8Sized() { return Raw(U8()); }
  OctetsView U16Sized() { return Raw(U16()); }
  OctetsView U32Sized() { return Raw(U32()); }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

 private:
  OctetsView rest_;
  bool ok_ = true;
};

}  // namespace idzone
