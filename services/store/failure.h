// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>

#include "services/core/base/error.h"

namespace idzone::store {

/// What went wrong inside PostgreSQL or libpqxx.
struct Failure {
  Error error;           // for callers: no internals
  bool retry = false;    // the transaction was rolled back to break a deadlock or a conflict: run it again
  std::string sqlstate;  // for the log; empty when there is none
  std::string message;   // for the log
};

/// A transaction's body throws it when another transaction was faster and what the body decided is out of date: it is
/// rolled back and runs again, seeing what the other one committed.
struct LostRace : std::exception {
  const char* what() const noexcept override { return "another transaction was faster"; }
};

/// Converts the exception that is being handled. Requires: called inside a catch block.
/// This is the only place where SQLSTATE becomes a Reason:
///   08 53 57 55P03 25006, lost connections    UNAVAILABLE (a statement timeout too: try later)
///   COMMIT without an answer                  UNAVAILABLE, "unknown": ask again, operations are idempotent
///   23505 ALREADY_EXISTS   23503 NOT_FOUND    23514 22 VALUE_OUT_OF_RANGE
///   3F000 42P01 42703 42883                   SCHEMA_MISMATCH
///   anything else                             INTERNAL
Failure FailureFromException();

}  // namespace idzone::store
