// SPDX-License-Identifier: MIT
#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands/identity.h"
#include "cli/commands/wait_until_live.h"
#include "cli/output/resource.h"

namespace idzone::cli {
namespace {

using Clock = std::chrono::steady_clock;

Outcome Wait(const Session& session, const WaitOptions& options) {
  const auto begin = Clock::now();
  const auto live = WaitUntilLive(session, options);
  if (!live) return tl::unexpected(live.error());
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  WriteObject(session.out, session.format,
              {{"namespace", options.namespace_name},
               {"live", true},
               {"version", VersionJson(live->epoch, live->serial)},
               {"waited_ms", waited.count()}});
  return ExitCode::kOk;
}

}  // namespace

void AddIdentityWaitCommand(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<WaitOptions>();
  CLI::App* wait = command.add_subcommand("wait", "Wait until all that is acknowledged is live at every registered edge");
  AddNamespaceArgument(*wait, options->namespace_name, noun);
  wait->add_option("--timeout", options->timeout_seconds, "Seconds to wait at most (default: 600)")->check(CLI::PositiveNumber);
  wait->callback([&session, options] { session.command = [&session, options] { return Wait(session, *options); }; });
}

}  // namespace idzone::cli
