// SPDX-License-Identifier: MIT
#include "cli/commands/verifier_options.h"

#include <filesystem>

#include <CLI/CLI.hpp>

namespace idzone::cli {
namespace {

/// Where Debian's packages dns-root-data and unbound-anchor keep the root's key.
constexpr const char* kRootAnchorFiles[] = {"/usr/share/dns/root.key", "/var/lib/unbound/root.key"};

Result<std::string> TrustAnchorFile(const VerifierFlags& flags) {
  if (!flags.trust_anchor.empty()) return flags.trust_anchor;
  std::error_code ignored;
  for (const char* file : kRootAnchorFiles) {
    if (std::filesystem::exists(file, ignored)) return std::string(file);
  }
  return Fail(Reason::kValueMissing, "--trust-anchor",
              "a file of DS or DNSKEY records, or the root's key in /usr/share/dns/root.key (package dns-root-data)", "neither");
}

}  // namespace

void AddVerifierOptions(CLI::App& command, VerifierFlags& flags) {
  command.add_option("--trust-anchor", flags.trust_anchor,
                     "File of DS or DNSKEY records; the output of zone ds is one (default: the root's key)");
  CLI::Option* resolver = command.add_option("--resolver", flags.resolver, "ADDRESS[@PORT] of a resolver to ask (default: the system's)");
  command.add_option("--authority", flags.authority, "ADDRESS[@PORT] of a server that is authoritative for the trust anchors' zones")
      ->excludes(resolver);
}

Result<verifier::Verifier> OpenVerifier(const VerifierFlags& flags, std::chrono::milliseconds deadline) {
  const Result<std::string> file = TrustAnchorFile(flags);
  if (!file) return tl::unexpected(file.error());
  auto anchors = verifier::ReadTrustAnchors(*file);
  if (!anchors) return tl::unexpected(anchors.error());
  return verifier::Verifier::Open({.trust_anchors = *std::move(anchors),
                                   .resolver = flags.authority.empty() ? flags.resolver : flags.authority,
                                   .resolver_is_authoritative = !flags.authority.empty(),
                                   .deadline = deadline});
}

}  // namespace idzone::cli
