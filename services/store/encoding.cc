// SPDX-License-Identifier: MIT
#include "services/store/encoding.h"

#include "services/core/identity/subject.h"

namespace idzone::store {
namespace {

// Object identifiers of the built-in types, fixed for ever (PostgreSQL, src/include/catalog/pg_type.dat).
constexpr std::uint32_t kByteaType = 17;
constexpr std::uint32_t kBigintType = 20;
constexpr std::uint32_t kSmallintType = 21;
constexpr std::uint32_t kIntegerType = 23;
constexpr std::uint32_t kTextType = 25;
constexpr std::uint32_t kUuidType = 2950;

/// Begins the binary form of a one-dimensional array without nulls (array_recv in PostgreSQL's arrayfuncs.c):
/// dimensions, null flag, element type, then length and lower bound of the dimension; elements follow, each with its size.
void BeginArray(OctetWriter& writer, std::uint32_t element_type, std::size_t count) {
  writer.U32(count == 0 ? 0 : 1);
  writer.U32(0);
  writer.U32(element_type);
  if (count == 0) return;
  writer.U32(static_cast<std::uint32_t>(count));
  writer.U32(1);
}

template <typename Strings>
pqxx::binarystring StringArray(std::uint32_t element_type, const Strings& values) {
  std::size_t size = 20;
  for (const auto& value : values) size += 4 + value.size();
  Octets octets;
  octets.reserve(size);
  OctetWriter writer(octets);
  BeginArray(writer, element_type, values.size());
  for (const auto& value : values) writer.U32Sized(value);
  return Bytea(octets);
}

template <typename Number>
pqxx::binarystring NumberArray(std::uint32_t element_type, const std::vector<Number>& values) {
  Octets octets;
  octets.reserve(20 + values.size() * (4 + sizeof(Number)));
  OctetWriter writer(octets);
  BeginArray(writer, element_type, values.size());
  for (const Number value : values) {
    writer.U32(sizeof(Number));
    if constexpr (sizeof(Number) == 2)
      writer.U16(static_cast<std::uint16_t>(value));
    else if constexpr (sizeof(Number) == 4)
      writer.U32(static_cast<std::uint32_t>(value));
    else
      writer.U64(static_cast<std::uint64_t>(value));
  }
  return Bytea(octets);
}

Octets Decode(std::string_view hex, const char* type) {
  auto octets = HexDecode(hex, type);
  if (!octets) throw pqxx::conversion_error(std::string("a ") + type + " field holds something else");
  return std::move(*octets);
}

Octets DecodeUuid(std::string_view text) {
  std::string hex;
  hex.reserve(32);
  for (const char c : text) {
    if (c != '-') hex += c;
  }
  if (hex.size() != 2 * identity::kIdentityIdOctets) throw pqxx::conversion_error("a uuid field holds something else");
  return Decode(hex, "uuid");
}

/// Walks the text form of an array.
template <typename Take>
void ForEachElement(const pqxx::field& field, Take take) {
  pqxx::array_parser parser = field.as_array();
  for (auto [juncture, value] = parser.get_next(); juncture != pqxx::array_parser::done; std::tie(juncture, value) = parser.get_next()) {
    if (juncture == pqxx::array_parser::string_value) take(value);
  }
}

}  // namespace

pqxx::binarystring Uuid(OctetsView octets) {
  IDZONE_INVARIANT(octets.size() == identity::kIdentityIdOctets, "a uuid has 16 octets");
  return Bytea(octets);
}

pqxx::binarystring UuidArray(const std::vector<OctetsView>& values) {
  return StringArray(kUuidType, values);
}
pqxx::binarystring ByteaArray(const std::vector<OctetsView>& values) {
  return StringArray(kByteaType, values);
}
pqxx::binarystring TextArray(const std::vector<std::string_view>& values) {
  return StringArray(kTextType, values);
}
pqxx::binarystring SmallintArray(const std::vector<std::int16_t>& values) {
  return NumberArray(kSmallintType, values);
}
pqxx::binarystring IntegerArray(const std::vector<std::int32_t>& values) {
  return NumberArray(kIntegerType, values);
}
pqxx::binarystring BigintArray(const std::vector<std::int64_t>& values) {
  return NumberArray(kBigintType, values);
}

Octets OctetsOf(const pqxx::field& field) {
  const std::string_view text(field.c_str(), field.size());
  if (field.is_null() || text.substr(0, 2) != "\\x") throw pqxx::conversion_error("a bytea field holds something else");
  return Decode(text.substr(2), "bytea");
}

Octets UuidOf(const pqxx::field& field) {
  return DecodeUuid(std::string_view(field.c_str(), field.size()));
}

std::vector<Octets> UuidListOf(const pqxx::field& field) {
  std::vector<Octets> list;
  ForEachElement(field, [&](const std::string& value) { list.push_back(DecodeUuid(value)); });
  return list;
}

std::vector<std::string> TextListOf(const pqxx::field& field) {
  std::vector<std::string> list;
  ForEachElement(field, [&](const std::string& value) { list.push_back(value); });
  return list;
}

}  // namespace idzone::store
