// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/base/octets.h"

/// How values travel to and from PostgreSQL, for the store's own .cc files only: libpqxx 6.4 knows neither bytea arrays
/// nor binary arrays. Parameters go in PostgreSQL's binary form (no hex, no quoting), results come as text.
///
/// Use in statements: give every parameter its type, `$1::uuid[]`, so that the server reads the right binary form.
namespace idzone::store {

/// A named statement. Prepared on a connection when it is first used there.
struct Statement {
  const char* name;
  const char* sql;
};

/// Runs a statement. Parameters: numbers and text as they are, octets through Bytea(), lists through the arrays below.
template <typename... Parameters>
pqxx::result Execute(pqxx::transaction_base& transaction, const Statement& statement, Parameters&&... parameters) {
  // libpqxx ignores a second definition that equals the first.
  transaction.conn().prepare(statement.name, statement.sql);
  return transaction.exec_prepared(statement.name, std::forward<Parameters>(parameters)...);
}

/// Parameters.
inline pqxx::binarystring Bytea(OctetsView octets) {
  return pqxx::binarystring(octets.data(), octets.size());
}
/// Requires: 16 octets each.
pqxx::binarystring Uuid(OctetsView octets);
pqxx::binarystring UuidArray(const std::vector<OctetsView>& values);
pqxx::binarystring ByteaArray(const std::vector<OctetsView>& values);
pqxx::binarystring TextArray(const std::vector<std::string_view>& values);
pqxx::binarystring SmallintArray(const std::vector<std::int16_t>& values);
pqxx::binarystring IntegerArray(const std::vector<std::int32_t>& values);
pqxx::binarystring BigintArray(const std::vector<std::int64_t>& values);

/// Returns views of a list of octet strings.
template <typename Strings>
std::vector<OctetsView> Views(const Strings& strings) {
  return std::vector<OctetsView>(strings.begin(), strings.end());
}

/// Results. Each throws pqxx::conversion_error when the field is something else, which a transaction converts.
Octets OctetsOf(const pqxx::field& field);                      // bytea, "\x6a6b"
Octets UuidOf(const pqxx::field& field);                        // uuid → 16 octets
std::vector<Octets> UuidListOf(const pqxx::field& field);       // uuid[]
std::vector<std::string> TextListOf(const pqxx::field& field);  // text[]
template <typename Number>
Number NumberOf(const pqxx::field& field) {
  return field.as<Number>();
}

}  // namespace idzone::store
