// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "services/core/base/error.h"

namespace pqxx {
class transaction_base;
}

/// PostgreSQL, for the store's own files: a small pool of connections and one way to run a transaction.
///
/// Errors: every exception of libpqxx becomes an Error here (failure.h). A lost connection is UNAVAILABLE; so is a
/// COMMIT whose answer never came: then the outcome is unknown, not failed, and the caller must ask again.
/// Threads: a Database may be shared; each transaction has a connection of its own.
namespace idzone::store {

struct DatabaseOptions {
  std::string url;               // as libpq reads it: a URL or `key=value` pairs
  std::string application_name;  // shown in pg_stat_activity
  std::size_t connections_max = 4;
  std::chrono::milliseconds statement_timeout{5'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::seconds connect_timeout{3};
  /// How long a transaction waits for a free connection before it is UNAVAILABLE.
  std::chrono::milliseconds acquire_timeout{2'000};
  /// Further settings of every session, for example {"enable_hashjoin", "off"}.
  std::vector<std::pair<std::string, std::string>> settings{};
  /// Told of every failure, with SQLSTATE (or an empty text) and PostgreSQL's own words, which are for the log only.
  std::function<void(std::string_view sqlstate, std::string_view message)> on_failure{};
};

enum class Isolation { kReadCommitted, kRepeatableReadOnly };

class Database {
 public:
  explicit Database(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `body` in a transaction and commits when it returns a value; rolls back when it returns an error or throws.
  /// After a deadlock, a serialization failure or a LostRace (failure.h) the body runs again, at most five times in
  /// all, so it must not leave traces outside the transaction before it returns. `name` is for the log.
  template <typename Body>
  auto Transact(std::string_view name, Isolation isolation, Body&& body) -> std::invoke_result_t<Body, pqxx::transaction_base&> {
    using Outcome = std::invoke_result_t<Body, pqxx::transaction_base&>;
    if constexpr (std::is_void_v<typename Outcome::value_type>) {
      return Run(name, isolation, [&](pqxx::transaction_base& transaction) -> Result<void> { return body(transaction); });
    } else {
      Outcome outcome = Fail(Reason::kInternal, "database", "a transaction that ran", "none");
      const Result<void> ran = Run(name, isolation, [&](pqxx::transaction_base& transaction) -> Result<void> {
        outcome = body(transaction);
        if (!outcome) return tl::unexpected(outcome.error());
        return {};
      });
      if (!ran) return tl::unexpected(ran.error());
      return outcome;
    }
  }

  /// The usual case: READ COMMITTED, read and write.
  template <typename Body>
  auto Transact(std::string_view name, Body&& body) {
    return Transact(name, Isolation::kReadCommitted, std::forward<Body>(body));
  }

  /// Says whether PostgreSQL answers now.
  Result<void> Ping();

 private:
  class Pool;
  using ErasedBody = std::function<Result<void>(pqxx::transaction_base&)>;
  Result<void> Run(std::string_view name, Isolation isolation, const ErasedBody& body);

  const std::unique_ptr<Pool> pool_;
};

}  // namespace idzone::store
