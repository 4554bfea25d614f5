// SPDX-License-Identifier: MIT
#include "services/core/dns/ecdsa_form.h"

#include "services/core/base/error.h"

namespace idzone::dns {
namespace {

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kInteger = 0x02;
constexpr std::size_t kFieldOctets = kEcdsaP256SignatureOctets / 2;

/// Appends an INTEGER as a field of 32 octets. X.690 §8.3.2: as few octets as hold it, two's complement.
bool TakeField(OctetReader& reader, Octets& raw) {
  if (reader.U8() != kInteger) return false;
  OctetsView number = reader.U8Sized();
  if (!reader.ok() || number.empty() || (number[0] & 0x80) != 0) return false;
  if (number[0] == 0) {
    number.remove_prefix(1);
    if (number.empty() || (number[0] & 0x80) == 0) return false;  // zero is no part of a signature
  }
  if (number.size() > kFieldOctets) return false;
  raw.append(kFieldOctets - number.size(), '\0').append(number);
  return true;
}

void AppendInteger(OctetWriter& writer, OctetsView field) {
  field.remove_prefix(std::min(field.find_first_not_of('\0'), field.size() - 1));
  const bool looks_negative = (field[0] & 0x80) != 0;
  writer.U8(kInteger);
  writer.U8(static_cast<std::uint8_t>(field.size() + (looks_negative ? 1 : 0)));
  if (looks_negative) writer.U8(0);
  writer.Raw(field);
}

}  // namespace

std::optional<Octets> RawOfDer(OctetsView der) {
  OctetReader reader(der);
  if (reader.U8() != kSequence) return std::nullopt;
  const OctetsView content = reader.U8Sized();
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  OctetReader numbers(content);
  Octets raw;
  raw.reserve(kEcdsaP256SignatureOctets);
  if (!TakeField(numbers, raw) || !TakeField(numbers, raw) || !numbers.at_end()) return std::nullopt;
  return raw;
}

Octets DerOfRaw(OctetsView raw) {
  IDZONE_INVARIANT(raw.size() == kEcdsaP256SignatureOctets, "a P-256 signature has 64 octets");
  Octets content;
  content.reserve(2 * (kFieldOctets + 3));
  OctetWriter writer(content);
  AppendInteger(writer, raw.substr(0, kFieldOctets));
  AppendInteger(writer, raw.substr(kFieldOctets));
  Octets der;
  der.reserve(content.size() + 2);
  OctetWriter outer(der);
  outer.U8(kSequence);
  outer.U8Sized(content);
  return der;
}

}  // namespace idzone::dns
