// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "services/core/base/octets.h"
#include "zone-signer/keys/token/module.h"

namespace idzone::signer::keys::token {

/// Logs in with the PIN of a private file, which is read each time and not kept. Tokens lock themselves after a few wrong PINs, so
/// a PIN that was refused is not tried again before the file holds another, and the last try that a token has is left to a human.
/// Threads: one at a time.
class Login {
 public:
  explicit Login(std::filesystem::path pin_file) : pin_file_(std::move(pin_file)) {}

  /// Checks that the PIN's file can be read. KEY_FILE_INVALID.
  Result<void> CheckFile() const;
  /// Logs the process in. KEY_TOKEN_UNAVAILABLE, KEY_FILE_INVALID; `subject` names the token.
  Result<void> In(const Module& module, CK_SESSION_HANDLE session, CK_FLAGS token_flags, const std::string& subject);

 private:
  std::filesystem::path pin_file_;
  Octets refused_;  // SHA-256 of the PIN that the token did not take
};

}  // namespace idzone::signer::keys::token
