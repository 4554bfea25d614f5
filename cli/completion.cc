// SPDX-License-Identifier: MIT
#include "cli/completion.h"

#include <vector>

#include <CLI/CLI.hpp>

namespace idzone::cli {
namespace {

struct Word {
  std::string text;
  std::string description;
  bool takes_value = false;
};

struct Command {
  std::string path;  // "device enroll"; empty for the program
  std::vector<Word> subcommands;
  std::vector<Word> options;
};

/// Options of a group belong to the command around it.
void CollectOptions(CLI::App& app, std::vector<Word>& options) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option* candidate) { return candidate->nonpositional(); })) {
    for (const std::string& name : option->get_lnames())
      options.push_back({"--" + name, option->get_description(), option->get_items_expected_max() > 0});
  }
  for (CLI::App* group : app.get_subcommands([](const CLI::App* candidate) { return candidate->get_name().empty(); }))
    CollectOptions(*group, options);
}

void Collect(CLI::App& app, const std::string& path, const std::vector<Word>& inherited, std::vector<Command>& commands) {
  Command command{.path = path, .subcommands = {}, .options = {}};
  CollectOptions(app, command.options);
  std::vector<Word> own = command.options;
  for (const Word& word : inherited) command.options.push_back(word);
  const auto named = app.get_subcommands([](const CLI::App* candidate) { return !candidate->get_name().empty(); });
  for (const CLI::App* subcommand : named) command.subcommands.push_back({subcommand->get_name(), subcommand->get_description()});
  commands.push_back(std::move(command));
  // The program's own options may stand anywhere; --help is everybody's own.
  std::vector<Word> global = inherited;
  if (path.empty()) {
    for (const Word& word : own) {
      if (word.text != "--help" && word.text != "--version") global.push_back(word);
    }
  }
  for (CLI::App* subcommand : named)
    Collect(*subcommand, path.empty() ? subcommand->get_name() : path + ' ' + subcommand->get_name(), global, commands);
}

/// Returns the text inside single quotes of a shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + '\'';
}

std::string Paths(const std::vector<Command>& commands, const char* separator) {
  std::string text;
  for (const Command& command : commands) {
    if (!command.path.empty()) text += (text.empty() ? "" : separator) + Quoted(command.path);
  }
  return text;
}

std::string BashScript(const std::vector<Command>& commands) {
  std::string script =
      "# bash completion for idzone: source it, or put it into ~/.local/share/bash-completion/completions/idzone\n"
      "_idzone() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" command_path=\"\" word candidates=\"\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"${command_path:+$command_path }$word\" in\n"
      "      " +
      Paths(commands, "|") +
      ") command_path=\"${command_path:+$command_path }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command_path\" in\n";
  for (const Command& command : commands) {
    script += "    " + Quoted(command.path) + ") candidates=\"";
    std::string words;
    for (const auto* list : {&command.subcommands, &command.options}) {
      for (const Word& word : *list) words += (words.empty() ? "" : " ") + word.text;
    }
    script += words + "\" ;;\n";
  }
  return script +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$candidates\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _idzone idzone\n";
}

/// Zsh splits "word:description" at the first colon.
std::string ZshCandidate(const Word& word) {
  std::string text;
  for (const char c : word.text) text += c == ':' ? "\\:" : std::string(1, c);
  return Quoted(text + ':' + word.description);
}

std::string ZshScript(const std::vector<Command>& commands) {
  std::string script =
      "#compdef idzone\n"
      "# zsh completion for idzone: put it as _idzone into a folder of $fpath\n"
      "_idzone() {\n"
      "  local command_path=\"\" word\n"
      "  local -a candidates\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"${command_path:+$command_path }$word\" in\n"
      "      " +
      Paths(commands, "|") +
      ") command_path=\"${command_path:+$command_path }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command_path\" in\n";
  for (const Command& command : commands) {
    script += "    " + Quoted(command.path) + ") candidates=(\n";
    for (const auto* list : {&command.subcommands, &command.options}) {
      for (const Word& word : *list) script += "      " + ZshCandidate(word) + "\n";
    }
    script += "    ) ;;\n";
  }
  return script +
         "  esac\n"
         "  _describe -o idzone candidates || _files\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _idzone ]; then _idzone \"$@\"; else compdef _idzone idzone; fi\n";
}

std::string FishScript(const std::vector<Command>& commands) {
  std::string script =
      "# fish completion for idzone: put it into ~/.config/fish/completions/idzone.fish\n"
      "function __idzone_at\n"
      "    set -l found\n"
      "    set -l tokens (commandline -opc)\n"
      "    set -e tokens[1]\n"
      "    for word in $tokens\n"
      "        switch (string join ' ' $found $word)\n"
      "            case " +
      Paths(commands, " ") +
      "\n"
      "                set found $found $word\n"
      "        end\n"
      "    end\n"
      "    test (string join ' ' $found) = \"$argv[1]\"\n"
      "end\n";
  for (const Command& command : commands) {
    const std::string condition = "complete -c idzone -n " + Quoted("__idzone_at \"" + command.path + "\"");
    for (const Word& word : command.subcommands)
      script += condition + " -f -a " + Quoted(word.text) + " -d " + Quoted(word.description) + "\n";
    for (const Word& word : command.options)
      script +=
          condition + " -l " + Quoted(word.text.substr(2)) + (word.takes_value ? " -r" : "") + " -d " + Quoted(word.description) + "\n";
  }
  return script;
}

}  // namespace

std::string CompletionScript(Shell shell, CLI::App& app) {
  std::vector<Command> commands;
  Collect(app, "", {}, commands);
  switch (shell) {
    case Shell::kBash: return BashScript(commands);
    case Shell::kZsh: return ZshScript(commands);
    case Shell::kFish: return FishScript(commands);
  }
  return {};
}

}  // namespace idzone::cli
