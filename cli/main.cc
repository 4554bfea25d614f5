// SPDX-License-Identifier: MIT
#include <csignal>
#include <iostream>

#include "cli/app.h"

int main(int argc, char** argv) {
  // A closed pipe is a write error, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  return static_cast<int>(idzone::cli::RunProgram(argc, argv, std::cout, std::cerr));
}
