// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/input.h"
#include "cli/output/json.h"
#include "cli/session.h"
#include "services/core/identity/key_material.h"
#include "services/verifier/tlsa_match.h"
#include "services/verifier/verifier.h"

namespace idzone::cli {
namespace {

/// Where Debian's packages dns-root-data and unbound-anchor keep the root's key.
constexpr const char* kRootAnchorFiles[] = {"/usr/share/dns/root.key", "/var/lib/unbound/root.key"};

struct Options {
  std::string name;
  std::string certificate;
  std::string public_key;
  std::string trust_anchor;
  std::string resolver;
  std::string authority;
};

Result<std::string> TrustAnchorFile(const Options& options) {
  if (!options.trust_anchor.empty()) return options.trust_anchor;
  std::error_code ignored;
  for (const char* file : kRootAnchorFiles) {
    if (std::filesystem::exists(file, ignored)) return std::string(file);
  }
  return Fail(Reason::kValueMissing, "--trust-anchor",
              "a file of DS or DNSKEY records, or the root's key in /usr/share/dns/root.key (package dns-root-data)", "neither");
}

Result<std::optional<identity::KeyMaterial>> ReadKey(const Options& options) {
  if (options.certificate.empty() && options.public_key.empty()) return std::nullopt;
  const bool is_certificate = !options.certificate.empty();
  const Result<Octets> octets = ReadMaterialFile(is_certificate ? options.certificate : options.public_key);
  if (!octets) return tl::unexpected(octets.error());
  Result<identity::KeyMaterial> key =
      identity::KeyMaterial::Parse(is_certificate ? identity::MaterialKind::kCertificate : identity::MaterialKind::kPublicKey, *octets);
  if (!key) return tl::unexpected(key.error());
  return std::optional(*std::move(key));
}

Result<verifier::Verifier> OpenVerifier(const Session& session, const Options& options) {
  const Result<std::string> file = TrustAnchorFile(options);
  if (!file) return tl::unexpected(file.error());
  auto anchors = verifier::ReadTrustAnchors(*file);
  if (!anchors) return tl::unexpected(anchors.error());
  return verifier::Verifier::Open({.trust_anchors = *std::move(anchors),
                                   .resolver = options.authority.empty() ? options.resolver : options.authority,
                                   .resolver_is_authoritative = !options.authority.empty(),
                                   .deadline = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_seconds * 1000))});
}

Json ToJson(const verifier::Finding& finding) {
  Json object = {{"name", finding.name.Format()},
                 {"verdict", std::string(verifier::VerdictName(finding.verdict))},
                 {"why", finding.why},
                 {"records", Json::array()},
                 {"ttl_seconds", finding.ttl_seconds}};
  for (const Octets& record : finding.records) object["records"].push_back("TLSA " + verifier::FormatTlsa(record));
  if (finding.verdict == verifier::Verdict::kNoRecord) object["name_exists"] = !finding.name_absent;
  return object;
}

ExitCode ExitCodeOf(verifier::Verdict verdict) {
  switch (verdict) {
    case verifier::Verdict::kMatch:
    case verifier::Verdict::kRecord: return ExitCode::kOk;
    case verifier::Verdict::kUnreachable: return ExitCode::kUnreachable;
    default: return ExitCode::kNotVerified;
  }
}

Outcome Verify(const Session& session, const Options& options) {
  const std::string what = "verify " + options.name;
  const auto name = dns::Name::Parse(options.name);
  if (!name) return tl::unexpected(Misused(what, name.error()));
  const auto key = ReadKey(options);
  if (!key) return tl::unexpected(Misused(what, key.error()));
  auto verifier = OpenVerifier(session, options);
  if (!verifier) return tl::unexpected(Misused(what, verifier.error()));
  const verifier::Finding finding = verifier->Verify(*name, key->has_value() ? &**key : nullptr);
  WriteObject(session.out, session.format, ToJson(finding));
  return ExitCodeOf(finding.verdict);
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verify = app.add_subcommand("verify", "Ask DNS what key a device has, validate the answer, and compare");
  verify->add_option("NAME", options->name, "The device's owner name")->required();
  CLI::Option* certificate = verify->add_option("--certificate", options->certificate, "File with the certificate to compare");
  verify->add_option("--public-key", options->public_key, "File with the public key to compare")->excludes(certificate);
  verify->add_option("--trust-anchor", options->trust_anchor,
                     "File of DS or DNSKEY records; the output of zone ds is one (default: the root's key)");
  CLI::Option* resolver =
      verify->add_option("--resolver", options->resolver, "ADDRESS[@PORT] of a resolver to ask (default: the system's)");
  verify->add_option("--authority", options->authority, "ADDRESS[@PORT] of a server that is authoritative for the trust anchors' zones")
      ->excludes(resolver);
  verify->footer("Exit code 0: match, or a secure record when no key was given; 7: anything else; 5: no answer.");
  verify->callback([&session, options] { session.command = [&session, options] { return Verify(session, *options); }; });
}

}  // namespace idzone::cli
