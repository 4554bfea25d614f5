// SPDX-License-Identifier: MIT
#pragma once

namespace CLI {
class App;
}

/// One function for each noun: it adds the noun's commands to the tree. A command that the caller chose puts itself into
/// `session.command`; nothing runs while the command line is still being read.
namespace idzone::cli {

struct Session;

void AddOperatorCommands(CLI::App& app, Session& session);
void AddPrincipalCommands(CLI::App& app, Session& session);
void AddPolicyCommands(CLI::App& app, Session& session);
void AddNamespaceCommands(CLI::App& app, Session& session);
void AddIdentityCommands(CLI::App& app, Session& session);
void AddZoneCommands(CLI::App& app, Session& session);
void AddKeyCommands(CLI::App& app, Session& session);
void AddEdgeCommands(CLI::App& app, Session& session);
void AddSshCommands(CLI::App& app, Session& session);
void AddVerifyCommand(CLI::App& app, Session& session);
void AddMigrateCommand(CLI::App& app, Session& session);
void AddCompletionCommand(CLI::App& app, Session& session);

}  // namespace idzone::cli
