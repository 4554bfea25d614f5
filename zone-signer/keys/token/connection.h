// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "zone-signer/keys/token/login.h"
#include "zone-signer/keys/token/module.h"

namespace idzone::signer::keys::token {

/// The use of one token, from C_Initialize to C_Finalize, logged in. When anything fails it is lost for good, and whoever needs the
/// token again makes a new one once nobody holds this one: that is the one way back that every module has.
/// Threads: sessions may be taken by any thread; each session is one thread's.
class Connection {
 public:
  /// Finds the token with that label. KEY_TOKEN_UNAVAILABLE says what an operator has to do.
  static Result<std::shared_ptr<Connection>> Open(const Module& module, const std::string& label, Login& login);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const Module& module() const { return module_; }
  bool lost() const { return lost_; }
  /// Asks the token whether it is there. KEY_TOKEN_UNAVAILABLE, and then it is lost.
  Result<void> Check();
  /// Returns the error for a call that failed; the connection is lost by it, unless the token only refused a wish (it is full).
  tl::unexpected<Error> Failed(std::string_view call, CK_RV value);
  const std::string& subject() const { return subject_; }

 private:
  friend class Session;
  Connection(const Module& module, std::string subject) : module_(module), subject_(std::move(subject)) {}
  Result<void> FindSlot(const std::string& label);
  Result<CK_SESSION_HANDLE> TakeSession();
  void GiveBack(CK_SESSION_HANDLE session);

  const Module module_;
  const std::string subject_;  // "token LABEL"
  CK_SLOT_ID slot_ = 0;
  std::atomic<bool> lost_ = false;
  std::mutex mutex_;
  std::vector<CK_SESSION_HANDLE> idle_;  // bounded by the threads that ever signed at once
};

/// A session, for as long as this lives.
class Session {
 public:
  static Result<Session> Take(std::shared_ptr<Connection> connection);
  ~Session();
  Session(Session&&) noexcept = default;
  Session& operator=(Session&&) = delete;

  CK_SESSION_HANDLE handle() const { return handle_; }
  Connection& connection() const { return *connection_; }
  const Module& module() const { return connection_->module(); }

 private:
  Session(std::shared_ptr<Connection> connection, CK_SESSION_HANDLE handle) : connection_(std::move(connection)), handle_(handle) {}
  std::shared_ptr<Connection> connection_;  // null once moved from
  CK_SESSION_HANDLE handle_;
};

}  // namespace idzone::signer::keys::token
