// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "services/process/config.h"
#include "services/process/lifecycle.h"
#include "services/process/observatory.h"

/// What the four daemons have in common: command line, configuration, log level, signals, observatory, exit codes.
namespace idzone::process {

/// What the body of a daemon works with.
struct DaemonContext {
  const Config& config;
  std::stop_token stop;  // asked to drain
  Observatory& observatory;
};

struct DaemonSpec {
  std::string program;  // "idzone-signerd"; the environment prefix is IDZONE_SIGNERD_
  /// Declared keys; `observe.address` and `log.level` are added here.
  std::vector<ConfigKey> keys;
  /// Runs until `stop` is requested and everything is drained. An error of Reason kValue*, kNotFound, kEnumUnknown or
  /// kKeyFileInvalid before the first work means bad configuration.
  std::function<Result<void>(DaemonContext&)> run;
};

inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadConfiguration = 2;

/// Runs a daemon: `--config FILE`, `--version`, `--help`, `--help-config`.
/// Returns the exit code: 0 after a drain, 2 for a bad command line or configuration, 1 for any other failure.
int RunDaemon(int argc, char** argv, const DaemonSpec& spec);

}  // namespace idzone::process
