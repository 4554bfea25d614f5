// SPDX-License-Identifier: MIT
#include "cli/completion.h"

#include <map>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/session.h"

namespace idzone::cli {
namespace {

const std::map<std::string, Shell> kShells = {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}};

}  // namespace

void AddCompletionCommand(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script: source <(idzone completion bash)");
  completion->add_option("SHELL", *name, "bash, zsh or fish")->required()->check(CLI::IsMember(kShells));
  completion->callback([&app, &session, name] {
    session.command = [&app, &session, name]() -> Outcome {
      session.out << CompletionScript(kShells.at(*name), app);
      return ExitCode::kOk;
    };
  });
}

}  // namespace idzone::cli
