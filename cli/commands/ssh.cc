// SPDX-License-Identifier: MIT
#include <memory>
#include <ostream>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/commands/verifier_options.h"
#include "cli/session.h"
#include "cli/ssh_users.h"
#include "services/core/identity/key_material.h"
#include "services/verifier/ssh_user.h"

namespace idzone::cli {
namespace {

constexpr char kUsersFile[] = "/etc/idzone/ssh_users";

struct Options {
  std::string user;
  std::string type;
  std::string key;
  std::string users_file = kUsersFile;
  double deadline_seconds = 10;
  VerifierFlags verifier;
  std::vector<std::string> extra;
  bool exit_zero = false;
};

/// Returns "ssh-ed25519 AAAA…" of the key itself: what sshd gets back cannot hold anything else that came as an argument.
std::string AuthorizedKey(const identity::KeyMaterial& key) {
  // RFC 4253 §6.6: the blob begins with the name of its algorithm.
  OctetReader reader(key.ssh_blob());
  return std::string(reader.U32Sized()) + ' ' + Base64Encode(key.ssh_blob());
}

Outcome FindKey(const Session& session, const Options& options) {
  const std::string what = "find the key of " + options.user;
  if (!options.extra.empty())
    return tl::unexpected(Misused(what, {Reason::kValueMalformed, "arguments", "USER TYPE KEY", "more than three"}));
  const auto key = identity::KeyMaterial::Parse(identity::MaterialKind::kSshPublicKey, options.type + ' ' + options.key);
  // What was offered is never written anywhere: it says who tried to come in.
  if (!key) return tl::unexpected(Failure{what, {key.error().reason, "KEY", key.error().expected, "another one"}, ExitCode::kNotVerified});
  const auto names = ReadSshUser(options.users_file, options.user);
  if (!names) return tl::unexpected(Misused(what, names.error()));
  if (names->empty())
    return tl::unexpected(
        Failure{what, {Reason::kNotFound, "USER", "a user of " + options.users_file, options.user}, ExitCode::kNotVerified});
  const auto deadline = std::chrono::milliseconds(static_cast<std::int64_t>(options.deadline_seconds * 1000));
  auto verifier = OpenVerifier(options.verifier, deadline);
  if (!verifier) return tl::unexpected(Misused(what, verifier.error()));
  const verifier::Finding finding = verifier::FindSshKey(*verifier, *names, *key, deadline);
  if (finding.verdict == verifier::Verdict::kMatch) {
    session.out << AuthorizedKey(*key) << '\n';
    return ExitCode::kOk;
  }
  session.err << "idzone: " << options.user << " at " << finding.name.Format() << ": " << verifier::VerdictName(finding.verdict) << ", "
              << CellText(Json(finding.why)) << '\n';
  return finding.verdict == verifier::Verdict::kUnreachable ? ExitCode::kUnreachable : ExitCode::kNotVerified;
}

Outcome AuthorizedKeys(const Session& session, const Options& options) {
  Outcome outcome = FindKey(session, options);
  if (!options.exit_zero) return outcome;
  if (!outcome && outcome.error().exit_code == ExitCode::kNotVerified) {
    WriteFailure(session.err, session.format, outcome.error());
    return ExitCode::kOk;
  }
  if (outcome && *outcome == ExitCode::kNotVerified) return ExitCode::kOk;
  return outcome;
}

}  // namespace

void AddSshCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("ssh", "Helpers for sshd");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* keys = noun->add_subcommand("authorized-keys", "Print the offered key if DNS vouches for it: sshd's AuthorizedKeysCommand");
  keys->add_option("USER", options->user, "%u: who wants to log in")->required();
  keys->add_option("TYPE", options->type, "%t: the type of the offered key")->required();
  keys->add_option("KEY", options->key, "%k: the offered key, base64")->required();
  keys->add_option("--users", options->users_file,
                   std::string("Who may log in with the keys of which names (default: ") + kUsersFile + ")");
  keys->add_option("--deadline", options->deadline_seconds, "Seconds that all look-ups together may take (default: 10)")
      ->check(CLI::Range(0.1, 60.0));
  AddVerifierOptions(*keys, options->verifier);
  // What is too much is refused without being shown: it may be the key.
  keys->add_option("EXTRA", options->extra)->group("");
  keys->add_flag("--exit-zero", options->exit_zero,
                 "Exit 0, with nothing printed, for a key that is not vouched for: sshd logs the command line, with the key, of a "
                 "helper that fails");
  keys->footer(
      "In sshd_config:\n"
      "  AuthorizedKeysCommand /usr/bin/idzone ssh authorized-keys --exit-zero --trust-anchor /etc/idzone/anchors %u %t %k\n"
      "  AuthorizedKeysCommandUser _idzone-ssh\n"
      "The file of users belongs to root; each line has a user and the owner names of keys that may log in as that user:\n"
      "  ada  k3f9q2.1f._user.acme.example  ada-laptop.7c._device.acme.example\n"
      "Exit code 0: the key is printed; 7, or 0 with --exit-zero: it is not vouched for; 5: no answer in time.");
  keys->callback([&session, options] { session.command = [&session, options] { return AuthorizedKeys(session, *options); }; });
}

}  // namespace idzone::cli
