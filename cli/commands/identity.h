// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "idzone/v1/namespace.pb.h"

namespace CLI {
class App;
}

/// Devices, users, services and mailboxes are all identities: their commands are the same, added once for each noun, and
/// spread over files. The server knows from the namespace what an identity is; the noun only chooses words and arguments.
namespace idzone::cli {

struct Session;

struct IdentityNoun {
  const char* name;            // of the command: "device"
  const char* many;            // "devices"
  const char* namespace_hint;  // "_device.<domain>"
  const char* id_hint;         // what ID is; null: the namespace has one identity, which is called "@"
  const char* title;           // help of the noun
  bool labels;                 // its namespaces may have private labels
};

void AddIdentityReadCommands(CLI::App& command, Session& session, const IdentityNoun& noun);
void AddIdentityEnrollCommand(CLI::App& command, Session& session, const IdentityNoun& noun);
void AddIdentityImportCommand(CLI::App& command, Session& session, const IdentityNoun& noun);
void AddIdentityKeyCommands(CLI::App& command, Session& session, const IdentityNoun& noun);
void AddIdentityRevokeCommand(CLI::App& command, Session& session, const IdentityNoun& noun);
void AddIdentityWaitCommand(CLI::App& command, Session& session, const IdentityNoun& noun);

/// Adds NAMESPACE.
void AddNamespaceArgument(CLI::App& command, std::string& namespace_name, const IdentityNoun& noun);
/// Adds ID, or makes it "@" for nouns that need none.
void AddIdArgument(CLI::App& command, std::string& id, const IdentityNoun& noun);
/// Adds --label clear|private for nouns that may have it.
void AddLabelOption(CLI::App& command, std::string& label, const IdentityNoun& noun);
/// Returns what the option's value says; unspecified for an empty one.
v1::LabelPrivacy LabelPrivacyOf(const std::string& label);

}  // namespace idzone::cli
