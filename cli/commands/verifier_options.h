// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "services/verifier/verifier.h"

namespace CLI {
class App;
}

namespace idzone::cli {

/// Whom to ask and whom to believe.
struct VerifierFlags {
  std::string trust_anchor;
  std::string resolver;
  std::string authority;
};

void AddVerifierOptions(CLI::App& command, VerifierFlags& flags);

/// VALUE_MISSING (no trust anchor), and what ReadTrustAnchors and Verifier::Open say.
Result<verifier::Verifier> OpenVerifier(const VerifierFlags& flags, std::chrono::milliseconds deadline);

}  // namespace idzone::cli
