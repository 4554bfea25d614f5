// SPDX-License-Identifier: MIT
#pragma once

namespace CLI {
class App;
}

namespace idzone::cli {

struct Session;

/// `ca set` and `ca remove`, below the noun.
void AddNamespaceAuthorityCommands(CLI::App& noun, Session& session);
/// `cut add` and `cut list`, likewise.
void AddNamespaceCutCommands(CLI::App& noun, Session& session);

}  // namespace idzone::cli
