// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "cli/exit_code.h"

namespace CLI {
class App;
}

namespace idzone::cli {

struct Session;

/// Builds the whole command tree on `app`: the global options and every noun.
void BuildApp(CLI::App& app, Session& session);

/// Reads the command line, runs the command, writes what it found or why it failed, and returns the exit code.
ExitCode RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace idzone::cli
