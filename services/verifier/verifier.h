// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "services/verifier/match.h"
#include "services/verifier/trust_anchor.h"
#include "services/verifier/verdict.h"

namespace idzone::identity {
class KeyMaterial;
}

/// For a relying party (a TLS server, a RADIUS server, an sshd): asks DNS what key an identity has, validates the answer
/// itself with libunbound, and compares. A resolver is never believed: its AD bit is not looked at.
/// Errors: what stands in the way of asking at all is an Error; whatever came out of asking is a Finding.
/// Threads: one Verifier belongs to one thread at a time; make one for each.
/// Limits: of TLSA and SMIMEA records usage 3 only (tlsa_match.h), of SSHFP records SHA-256 only (sshfp_match.h).
namespace idzone::verifier {

struct VerifierOptions {
  /// Required: at least one.
  std::vector<TrustAnchor> trust_anchors;
  /// "ADDRESS" or "ADDRESS@PORT" of a server to ask instead of the system's resolvers; empty: those of resolv.conf.
  /// It may be a recursive resolver or a server that is authoritative for the names asked for.
  std::string resolver;
  /// The server is authoritative for the trust anchors' zones: it is asked without recursion, and for them only.
  bool resolver_is_authoritative = false;
  /// The longest that one question may take.
  std::chrono::milliseconds deadline{5000};
};

class Verifier {
 public:
  /// VALUE_MISSING, VALUE_MALFORMED (an anchor or address that libunbound refuses), INTERNAL.
  static Result<Verifier> Open(const VerifierOptions& options);

  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

  /// Returns what DNS says of the records of that type at `name`. `matcher` may be empty: then a secure record is kRecord.
  /// Answers are cached for as long as their TTL allows.
  Finding Ask(const dns::Name& name, dns::RrType type, const Matcher& matcher);

  /// The same of TLSA records; `key` may be null.
  Finding Verify(const dns::Name& name, const identity::KeyMaterial* key);

  /// From now on, one question may take so long.
  void set_deadline(std::chrono::milliseconds deadline);

 private:
  struct Context;
  explicit Verifier(std::unique_ptr<Context> context);

  std::unique_ptr<Context> context_;
};

}  // namespace idzone::verifier
