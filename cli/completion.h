// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace idzone::cli {

enum class Shell { kBash, kZsh, kFish };

/// Returns a completion script for every command and option of the tree, made from the tree itself, so that it cannot
/// fall behind. File names are completed where no word fits.
std::string CompletionScript(Shell shell, CLI::App& app);

}  // namespace idzone::cli
