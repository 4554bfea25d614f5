// SPDX-License-Identifier: MIT
#include "cli/app.h"

#include <exception>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/session.h"

namespace idzone::cli {
namespace {

const std::map<std::string, OutputFormat> kFormats = {
    {"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}, {"yaml", OutputFormat::kYaml}, {"jsonl", OutputFormat::kJsonLines}};

constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 other failure, 2 wrong usage, 3 refused, 4 not allowed, 5 not reachable or too late,\n"
    "            6 done in part, 7 verify: anything but a match,\n"
    "            8 zone status: something is wrong.";

/// The command line itself is wrong, or asks for help.
ExitCode Explain(CLI::App& app, const Session& session, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error, session.out, session.err);
    return ExitCode::kOk;
  }
  WriteFailure(session.err, session.format, Misused("read the command line", {Reason::kValueMalformed, "", "", error.what()}));
  if (session.format == OutputFormat::kTable) session.err << "  help:      add --help to any command\n";
  return ExitCode::kUsage;
}

}  // namespace

void BuildApp(CLI::App& app, Session& session) {
  app.description("idzone: identities of devices, users and services in signed DNS zones");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  // Global options may stand behind the command too.
  app.fallthrough();
  app.set_version_flag("--version", "idzone " IDZONE_VERSION);
  app.add_option("--server", session.connection.server, "HOST:PORT of idzone-provisiond (IDZONE_SERVER)");
  app.add_option("--tls-certificate", session.connection.tls_certificate, "File with the client certificate (IDZONE_TLS_CERTIFICATE)");
  app.add_option("--tls-key", session.connection.tls_key, "File with its private key (IDZONE_TLS_KEY)");
  app.add_option("--tls-ca", session.connection.tls_ca, "File with the CA of the server's certificate (IDZONE_TLS_CA)");
  app.add_option("--timeout", session.timeout_seconds, "Seconds that a call may take (default: 30)")->check(CLI::Range(0.001, 3600.0));
  app.add_option_function<std::string>(
         "--output", [&session](const std::string& name) { session.format = kFormats.at(name); }, "table (default), json, yaml or jsonl")
      ->check(CLI::IsMember(kFormats));
  AddOperatorCommands(app, session);
  AddPrincipalCommands(app, session);
  AddPolicyCommands(app, session);
  AddNamespaceCommands(app, session);
  AddIdentityCommands(app, session);
  AddZoneCommands(app, session);
  AddKeyCommands(app, session);
  AddEdgeCommands(app, session);
  AddSshCommands(app, session);
  AddVerifyCommand(app, session);
  AddMigrateCommand(app, session);
  AddCompletionCommand(app, session);
}

ExitCode RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Session session(out, err);
  CLI::App app("", "idzone");
  try {
    BuildApp(app, session);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Explain(app, session, error);
  }
  try {
    const Outcome outcome = session.command();
    out.flush();
    if (outcome) {
      // A full disk or a closed pipe must not look like success.
      return out.good() ? *outcome : ExitCode::kOther;
    }
    WriteFailure(err, session.format, outcome.error());
    return outcome.error().exit_code;
  } catch (const std::exception& exception) {
    WriteFailure(err, session.format, {"finish", {Reason::kInternal, "idzone", "", exception.what()}, ExitCode::kOther});
    return ExitCode::kOther;
  }
}

}  // namespace idzone::cli
