// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/output/json.h"
#include "cli/session.h"

namespace CLI {
class App;
}

namespace idzone::cli {

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

/// --wait and --wait-timeout of a command that changes something.
struct WaitFlags {
  bool wait = false;
  double timeout_seconds = 600;
};
void AddWaitFlags(CLI::App& command, WaitFlags& flags, const std::string& text);

/// Writes what a change made of its object and, with --wait, whether it came to be live. The object is shown in any case:
/// what is acknowledged is done, whether or not it is live yet.
Outcome WriteChanged(const Session& session, Json object, const WaitFlags& flags, const std::string& namespace_name,
                     std::vector<std::uint64_t> changes);

}  // namespace idzone::cli
