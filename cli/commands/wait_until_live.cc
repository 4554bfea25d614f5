// SPDX-License-Identifier: MIT
#include "cli/commands/wait_until_live.h"

#include <algorithm>
#include <chrono>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/output/progress.h"
#include "cli/output/resource.h"
#include "idzone/v1/identity_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::IdentityService::Stub;
using Clock = std::chrono::steady_clock;

/// The server waits at most a minute a call (proto). The first calls are short, so that something is shown soon; later
/// ones are long, because each call for "everything" starts again with what is acknowledged then.
constexpr std::chrono::milliseconds kFirstCall{1'000};
constexpr std::chrono::milliseconds kLongestCall{60'000};

std::string MissingText(const v1::WaitForChangeResponse& response) {
  if (response.edges_behind().empty()) return "waiting for the signer";
  std::string text = "waiting for edges:";
  for (const auto& edge : response.edges_behind()) text += ' ' + edge;
  return text;
}

v1::WaitForChangeRequest RequestFor(const WaitOptions& options, std::chrono::milliseconds wait) {
  v1::WaitForChangeRequest request;
  request.set_namespace_name(options.namespace_name);
  request.mutable_changes()->Add(options.changes.begin(), options.changes.end());
  request.set_live_at_edges(true);
  request.mutable_timeout()->set_seconds(wait.count() / 1000);
  request.mutable_timeout()->set_nanos(static_cast<std::int32_t>(wait.count() % 1000 * 1'000'000));
  return request;
}

}  // namespace

tl::expected<LiveVersion, Failure> WaitUntilLive(const Session& session, const WaitOptions& options) {
  const std::string what = "wait for " + options.namespace_name;
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_seconds * 1000));
  std::chrono::milliseconds wait = kFirstCall;
  while (true) {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    wait = std::clamp(rest, std::chrono::milliseconds(0), wait);
    const auto response = Call(session, stub, &Stub::WaitForChange, RequestFor(options, wait), what, wait);
    if (!response) return tl::unexpected(response.error());
    if (response->done()) return LiveVersion{.epoch = response->zone_version().epoch(), .serial = response->zone_version().serial()};
    const std::string missing = MissingText(*response);
    if (Clock::now() >= end) {
      const auto seconds = std::to_string(static_cast<std::int64_t>(options.timeout_seconds));
      return tl::unexpected(Failure{what,
                                    {Reason::kDeadline, options.namespace_name, "live at every edge within " + seconds + " s", missing},
                                    ExitCode::kUnreachable});
    }
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin);
    session.err << CellText(Json(missing)) << " (" << FormatDuration(waited) << ")" << std::endl;
    wait = std::min(wait * 2, kLongestCall);
  }
}

void AddWaitFlags(CLI::App& command, WaitFlags& flags, const std::string& text) {
  command.add_flag("--wait", flags.wait, text);
  command.add_option("--wait-timeout", flags.timeout_seconds, "Seconds to wait at most (default: 600)")->check(CLI::PositiveNumber);
}

Outcome WriteChanged(const Session& session, Json object, const WaitFlags& flags, const std::string& namespace_name,
                     std::vector<std::uint64_t> changes) {
  tl::expected<LiveVersion, Failure> live;
  if (flags.wait) {
    live =
        WaitUntilLive(session, {.namespace_name = namespace_name, .changes = std::move(changes), .timeout_seconds = flags.timeout_seconds});
    object["live"] = live.has_value();
    if (live) object["live_version"] = VersionJson(live->epoch, live->serial);
  }
  WriteObject(session.out, session.format, object);
  if (!live) return tl::unexpected(live.error());
  return ExitCode::kOk;
}

}  // namespace idzone::cli
