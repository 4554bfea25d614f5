// SPDX-License-Identifier: MIT
#include "services/store/database.h"

#include <libpq-fe.h>
#include <poll.h>

#include <condition_variable>
#include <mutex>
#include <pqxx/pqxx>

#include "services/store/failure.h"

namespace idzone::store {
namespace {

/// The victim of a deadlock or a race usually succeeds at once; more tries than this only lengthen a queue.
constexpr int kAttemptsMax = 5;

/// libpq's quoting of connection parameter values.
std::string Quote(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

/// Returns `-c name=value` for the `options` parameter, where a backslash protects a space.
std::string Setting(std::string_view name, std::string_view value) {
  std::string text = " -c " + std::string(name) + "=";
  for (const char c : value) {
    if (c == ' ' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string SessionOptions(const DatabaseOptions& options) {
  std::string text = Setting("statement_timeout", std::to_string(options.statement_timeout.count()));
  text += Setting("lock_timeout", std::to_string(options.lock_timeout.count()));
  // A session that died between two statements must not keep its locks.
  text += Setting("idle_in_transaction_session_timeout", "30000");
  for (const auto& [name, value] : options.settings) text += Setting(name, value);
  return text;
}

/// Returns the caller's connection parameters with ours added. Ours travel in the connection string and not as SET
/// statements, so that a connection which libpqxx makes again has them too.
std::string ConnectionString(const DatabaseOptions& options) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(PQconninfoParse(options.url.c_str(), &message),
                                                                              PQconninfoFree);
  if (parsed == nullptr) {
    PQfreemem(message);
    throw pqxx::broken_connection("the database URL cannot be read");
  }
  std::string text;
  std::string session = SessionOptions(options);
  const auto add = [&](std::string_view name, std::string_view value) { text += std::string(name) + "=" + Quote(value) + " "; };
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    const std::string_view name = option->keyword;
    if (option->val == nullptr) continue;
    if (name == "options")
      session = std::string(option->val) + session;
    else if (name != "connect_timeout" && name != "application_name")
      add(name, option->val);
  }
  add("connect_timeout", std::to_string(options.connect_timeout.count()));
  add("application_name", options.application_name);
  add("options", session);
  // A peer that vanished without a word is noticed after some ten seconds instead of hours.
  add("keepalives_idle", "5");
  add("keepalives_interval", "2");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "10000");
  return text;
}

/// Says whether the server ended a connection that nobody used, for example because it was restarted: then its socket has
/// something to read, if only the end. Without this look the first caller after a restart would get the failure.
bool EndedAtRest(pqxx::connection& connection) {
  pollfd socket{connection.sock(), POLLIN, 0};
  return poll(&socket, 1, 0) != 0;
}

}  // namespace

/// Connections at rest, and how many there are in all. A connection that failed is dropped, never put back.
class Database::Pool {
 public:
  explicit Pool(DatabaseOptions options) : options_(std::move(options)) {}

  /// Returns a connection, or nothing when none became free in time. Throws as libpqxx does when it cannot connect.
  std::unique_ptr<pqxx::connection> Take() {
    std::unique_lock lock(mutex_);
    const auto available = [&] { return !idle_.empty() || taken_ < options_.connections_max; };
    if (!freed_.wait_for(lock, options_.acquire_timeout, available)) return nullptr;
    ++taken_;
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      if (!EndedAtRest(*connection)) return connection;
    }
    lock.unlock();
    try {
      return std::make_unique<pqxx::connection>(ConnectionString(options_));
    } catch (...) {
      Return(nullptr);
      throw;
    }
  }

  /// Ends the use of a connection; null: it is gone.
  void Return(std::unique_ptr<pqxx::connection> connection) {
    {
      const std::scoped_lock lock(mutex_);
      --taken_;
      if (connection != nullptr) idle_.push_back(std::move(connection));
    }
    freed_.notify_one();
  }

  void Report(std::string_view sqlstate, std::string_view message) const {
    if (options_.on_failure) options_.on_failure(sqlstate, message);
  }

 private:
  const DatabaseOptions options_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<pqxx::connection>> idle_;
  std::size_t taken_ = 0;
};

namespace {

template <typename Transaction>
Result<void> RunOnce(pqxx::connection& connection, std::string_view name,
                     const std::function<Result<void>(pqxx::transaction_base&)>& body) {
  Transaction transaction(connection, std::string(name));
  Result<void> outcome = body(transaction);
  // The destructor of a transaction that was not committed rolls back.
  if (outcome) transaction.commit();
  return outcome;
}

}  // namespace

Database::Database(DatabaseOptions options) : pool_(std::make_unique<Pool>(std::move(options))) {}

Database::~Database() = default;

Result<void> Database::Run(std::string_view name, Isolation isolation, const ErasedBody& body) {
  using ReadOnly = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<pqxx::connection> connection;
    try {
      connection = pool_->Take();
      if (connection == nullptr) return Fail(Reason::kUnavailable, "database", "a free connection", "all of them busy");
      Result<void> outcome = isolation == Isolation::kReadCommitted ? RunOnce<pqxx::work>(*connection, name, body)
                                                                    : RunOnce<ReadOnly>(*connection, name, body);
      pool_->Return(std::move(connection));
      return outcome;
    } catch (...) {
      const Failure failure = FailureFromException();
      if (!failure.retry || attempt == kAttemptsMax) pool_->Report(failure.sqlstate, failure.message);
      if (connection != nullptr) {
        // After an error of SQL alone the session is as good as before.
        const bool usable = connection->is_open() && failure.error.reason != Reason::kUnavailable;
        pool_->Return((usable || failure.retry) && connection->is_open() ? std::move(connection) : nullptr);
      }
      if (!failure.retry || attempt == kAttemptsMax) return tl::unexpected(failure.error);
    }
  }
}

Result<void> Database::Ping() {
  return Transact("ping", [](pqxx::transaction_base& transaction) -> Result<void> {
    transaction.exec("select 1");
    return {};
  });
}

}  // namespace idzone::store
