// SPDX-License-Identifier: MIT
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/verifier_options.h"
#include "cli/input.h"
#include "cli/output/json.h"
#include "cli/session.h"
#include "services/core/identity/key_material.h"
#include "services/core/identity/openpgp_key.h"
#include "services/verifier/openpgp_match.h"
#include "services/verifier/record_text.h"
#include "services/verifier/sshfp_match.h"
#include "services/verifier/tlsa_match.h"

namespace idzone::cli {
namespace {

using dns::RrType;
using identity::KeyMaterial;
using identity::MaterialKind;

const std::map<std::string, RrType> kTypes = {
    {"tlsa", RrType::kTlsa}, {"sshfp", RrType::kSshfp}, {"smimea", RrType::kSmimea}, {"openpgpkey", RrType::kOpenPgpKey}};

struct Options {
  std::string name;
  std::string type;
  std::string certificate;
  std::string public_key;
  std::string ssh_key;
  std::string openpgp_key;
  VerifierFlags verifier;
};

/// What is asked, and what the answer is compared with.
struct Question {
  RrType type = RrType::kTlsa;
  verifier::Matcher matcher;
};

Result<verifier::Matcher> OpenPgpMatcher(const std::string& file) {
  const Result<Octets> octets = ReadMaterialFile(file);
  if (!octets) return tl::unexpected(octets.error());
  const Result<identity::OpenPgpKey> key = identity::OpenPgpKey::Parse(*octets);
  if (!key) return tl::unexpected(key.error());
  return [key = *key](const std::vector<Octets>& rdatas) { return verifier::MatchOpenPgp(rdatas, key); };
}

Result<verifier::Matcher> KeyMatcher(MaterialKind kind, const std::string& file, RrType type) {
  const Result<Octets> octets = ReadMaterialFile(file);
  if (!octets) return tl::unexpected(octets.error());
  const Result<KeyMaterial> key = KeyMaterial::Parse(kind, *octets);
  if (!key) return tl::unexpected(key.error());
  return [key = *key, type](const std::vector<Octets>& rdatas) {
    return type == RrType::kSshfp ? verifier::MatchSshfp(rdatas, key) : verifier::MatchTlsa(rdatas, key);
  };
}

/// The key says which records are meant, unless --type does.
RrType TypeFor(const Options& options) {
  if (!options.type.empty()) return kTypes.at(options.type);
  if (!options.ssh_key.empty()) return RrType::kSshfp;
  return options.openpgp_key.empty() ? RrType::kTlsa : RrType::kOpenPgpKey;
}

/// Whether a key of that kind can stand in records of that type: an SSH key also by its SubjectPublicKeyInfo.
bool Fits(const Options& options, RrType type) {
  const bool x509 = !options.certificate.empty() || !options.public_key.empty();
  switch (type) {
    case RrType::kSshfp: return !x509 && options.openpgp_key.empty();
    case RrType::kOpenPgpKey: return !x509 && options.ssh_key.empty();
    case RrType::kSmimea: return options.ssh_key.empty() && options.openpgp_key.empty();
    default: return options.openpgp_key.empty();
  }
}

Result<Question> QuestionOf(const Options& options) {
  const RrType type = TypeFor(options);
  if (!Fits(options, type))
    return Fail(Reason::kValueMalformed, "--type", "the type of records that hold such a key", dns::RrTypeName(type));
  Result<verifier::Matcher> matcher = verifier::Matcher();
  if (!options.certificate.empty()) matcher = KeyMatcher(MaterialKind::kCertificate, options.certificate, type);
  if (!options.public_key.empty()) matcher = KeyMatcher(MaterialKind::kPublicKey, options.public_key, type);
  if (!options.ssh_key.empty()) matcher = KeyMatcher(MaterialKind::kSshPublicKey, options.ssh_key, type);
  if (!options.openpgp_key.empty()) matcher = OpenPgpMatcher(options.openpgp_key);
  if (!matcher) return tl::unexpected(matcher.error());
  return Question{type, *std::move(matcher)};
}

Json ToJson(const verifier::Finding& finding) {
  Json object = {{"name", finding.name.Format()},
                 {"verdict", std::string(verifier::VerdictName(finding.verdict))},
                 {"why", finding.why},
                 {"records", Json::array()},
                 {"ttl_seconds", finding.ttl_seconds}};
  for (const Octets& record : finding.records) object["records"].push_back(verifier::RecordText(finding.type, record));
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
  const auto question = QuestionOf(options);
  if (!question) return tl::unexpected(Misused(what, question.error()));
  const auto deadline = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_seconds * 1000));
  auto verifier = OpenVerifier(options.verifier, deadline);
  if (!verifier) return tl::unexpected(Misused(what, verifier.error()));
  const verifier::Finding finding = verifier->Ask(*name, question->type, question->matcher);
  WriteObject(session.out, session.format, ToJson(finding));
  return ExitCodeOf(finding.verdict);
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verify = app.add_subcommand("verify", "Ask DNS what key an identity has, validate the answer, and compare");
  verify->add_option("NAME", options->name, "The identity's owner name")->required();
  CLI::Option_group* key = verify->add_option_group("key", "The key to compare; without one, secure records are shown");
  key->add_option("--certificate", options->certificate, "File with the certificate to compare");
  key->add_option("--public-key", options->public_key, "File with the public key to compare");
  key->add_option("--ssh-key", options->ssh_key, "File with the OpenSSH public key to compare");
  key->add_option("--openpgp-key", options->openpgp_key, "File with the OpenPGP public key to compare");
  key->require_option(0, 1);
  verify->add_option("--type", options->type, "tlsa, sshfp, smimea or openpgpkey (default: what fits the key, else tlsa)")
      ->check(CLI::IsMember(kTypes));
  AddVerifierOptions(*verify, options->verifier);
  verify->footer("Exit code 0: match, or a secure record when no key was given; 7: anything else; 5: no answer.");
  verify->callback([&session, options] { session.command = [&session, options] { return Verify(session, *options); }; });
}

}  // namespace idzone::cli
