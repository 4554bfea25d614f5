// SPDX-License-Identifier: MIT
#pragma once

#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <string>

#include "services/core/base/error.h"

/// A PKCS #11 module: the shared library by which a token is spoken to. It is called directly: Debian 12 has no OpenSSL provider for
/// tokens, its OpenSSL engine is a deprecated interface, and both turn the module's reasons into "error", which tells no operator
/// what to do.
/// Threads and forks: after Initialize (CKF_OS_LOCKING_OK) every function may be called from any thread, each with a session of its
/// own (PKCS #11 2.40 Usage Guide §2.5). A forked child must not use it; the signer forks none.
namespace idzone::signer::keys::token {

class Module {
 public:
  /// Loads the library; it stays loaded for as long as the process lives. KEY_FILE_INVALID.
  static Result<Module> Load(const std::filesystem::path& file);

  /// Begins or ends the use of the module. Between an End and the next Begin all that it knew is forgotten: sessions, logins, slots.
  CK_RV Begin() const;
  void End() const;
  const CK_FUNCTION_LIST* operator->() const { return functions_; }

 private:
  explicit Module(const CK_FUNCTION_LIST* functions) : functions_(functions) {}
  const CK_FUNCTION_LIST* functions_;
};

/// Returns what a return value means to who runs the signer: "CKR_PIN_LOCKED: …", or its number.
std::string Explain(CK_RV value);

}  // namespace idzone::signer::keys::token
