// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace CLI {
class App;
}

/// The device commands are spread over files, each adding its own; what two of them share is here.
namespace idzone::cli {

void AddDeviceReadCommands(CLI::App& noun, Session& session);
void AddDeviceEnrollCommand(CLI::App& noun, Session& session);
void AddDeviceImportCommand(CLI::App& noun, Session& session);
void AddDeviceRevokeCommand(CLI::App& noun, Session& session);
void AddDeviceWaitCommand(CLI::App& noun, Session& session);

struct WaitOptions {
  std::string namespace_name;
  std::vector<std::uint64_t> changes;  // empty: all that are acknowledged now; at most 1000
  double timeout_seconds = 600;
};

struct LiveVersion {
  std::uint32_t epoch = 0;
  std::uint32_t serial = 0;
};

/// Waits until the changes are live at every registered edge, telling on the error stream what is missing.
/// DEADLINE when the time is over.
tl::expected<LiveVersion, Failure> WaitUntilLive(const Session& session, const WaitOptions& options);

}  // namespace idzone::cli
