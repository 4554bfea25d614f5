// SPDX-License-Identifier: MIT
#include "services/store/failure.h"

#include <pqxx/pqxx>

namespace idzone::store {
namespace {

Error Unavailable(std::string met) {
  return {Reason::kUnavailable, "database", "an answer from PostgreSQL", std::move(met)};
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

Error ErrorFromSqlstate(std::string_view sqlstate) {
  if (StartsWith(sqlstate, "08") || StartsWith(sqlstate, "53") || StartsWith(sqlstate, "57P"))
    return Unavailable("a lost or refused connection");
  if (sqlstate == "57014") return Unavailable("a statement that took too long");
  if (sqlstate == "55P03") return Unavailable("a lock that was not free in time");
  if (sqlstate == "25006") return Unavailable("a read-only server");
  if (sqlstate == "23505") return {Reason::kAlreadyExists, "record", "a new one", "one that exists with other values"};
  if (sqlstate == "23503") return {Reason::kNotFound, "record", "an existing object to refer to", "none"};
  if (sqlstate == "23514" || StartsWith(sqlstate, "22"))
    return {Reason::kValueOutOfRange, "record", "values that the database accepts", "others"};
  if (sqlstate == "3F000" || sqlstate == "42P01" || sqlstate == "42703" || sqlstate == "42883")
    return {Reason::kSchemaMismatch, "database", "the schema of this program: run `idzone migrate`", "another one"};
  return {Reason::kInternal, "database", "a statement that succeeds", "a failure (see the server's log)"};
}

}  // namespace

Failure FailureFromException() {
  try {
    throw;
  } catch (const LostRace& error) {
    return {Unavailable("too many changes of the same objects at once: try again"), true, "", error.what()};
  } catch (const pqxx::in_doubt_error& error) {
    return {Unavailable("a connection lost during COMMIT: the outcome is unknown"), false, "08007", error.what()};
  } catch (const pqxx::statement_completion_unknown& error) {
    return {Unavailable("a connection lost during a statement: the outcome is unknown"), false, "40003", error.what()};
  } catch (const pqxx::deadlock_detected& error) {
    return {Unavailable("a deadlock, again and again"), true, "40P01", error.what()};
  } catch (const pqxx::transaction_rollback& error) {
    return {Unavailable("a conflict with another transaction, again and again"), true, "40001", error.what()};
  } catch (const pqxx::broken_connection& error) {
    return {Unavailable("a lost or refused connection"), false, "08006", error.what()};
  } catch (const pqxx::sql_error& error) {
    return {ErrorFromSqlstate(error.sqlstate()), false, error.sqlstate(), error.what()};
  } catch (const std::exception& error) {
    return {ErrorFromSqlstate(""), false, "", error.what()};
  }
}

}  // namespace idzone::store
