// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/identity.h"
#include "cli/commands/wait_until_live.h"
#include "cli/output/resource.h"
#include "idzone/v1/identity_service.grpc.pb.h"

namespace idzone::cli {
namespace {

/// WaitForChange takes so many (proto); more wait for everything.
constexpr std::size_t kChangesPerWait = 1000;

struct Options {
  std::string namespace_name;
  std::vector<std::string> ids;
  std::string reason;
  WaitFlags wait;
};

Outcome Revoke(const Session& session, const Options& options) {
  using Stub = v1::IdentityService::Stub;
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(
      session.out, session.format,
      {{"ID", "id"}, {"STATE", "state"}, {"OWNER NAME", "owner_name"}, {"REVOKED", "revoke_time"}, {"BEFORE", "already_revoked"}});
  std::vector<std::uint64_t> changes;
  std::optional<Failure> failure;
  std::size_t failures = 0;
  for (const std::string& id : options.ids) {
    v1::RevokeIdentityRequest request;
    request.set_namespace_name(options.namespace_name);
    request.set_id(id);
    request.set_reason(options.reason);
    const auto response = Call(session, stub, &Stub::RevokeIdentity, request, "revoke " + id + " in " + options.namespace_name);
    if (!response) {
      // One unknown id must not keep the others alive; but a server that is gone is gone for all.
      ++failures;
      failure = response.error();
      if (failure->exit_code != ExitCode::kRefused) break;
      if (options.ids.size() > 1) WriteFailure(session.err, session.format, *failure);
      continue;
    }
    changes.push_back(response->identity().change());
    Json row = IdentityJson(response->identity());
    row["already_revoked"] = response->already_revoked();
    writer.Add(std::move(row));
  }
  writer.End();
  session.out.flush();
  if (failure && failure->exit_code != ExitCode::kRefused) return tl::unexpected(*failure);
  if (options.wait.wait && !changes.empty()) {
    std::sort(changes.begin(), changes.end());
    changes.erase(std::unique(changes.begin(), changes.end()), changes.end());
    if (changes.size() > kChangesPerWait) changes.clear();
    const auto live = WaitUntilLive(
        session, {.namespace_name = options.namespace_name, .changes = changes, .timeout_seconds = options.wait.timeout_seconds});
    if (!live) return tl::unexpected(live.error());
  }
  if (failures == 0) return ExitCode::kOk;
  if (options.ids.size() == 1) return tl::unexpected(*failure);
  return failures == options.ids.size() ? ExitCode::kRefused : ExitCode::kPartial;
}

}  // namespace

void AddIdentityRevokeCommand(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<Options>();
  CLI::App* revoke = command.add_subcommand("revoke", "Revoke, for ever: neither it nor its keys come back");
  AddNamespaceArgument(*revoke, options->namespace_name, noun);
  options->ids.resize(1);
  if (noun.id_hint == nullptr) {
    AddIdArgument(*revoke, options->ids.front(), noun);
  } else {
    revoke->add_option("ID", options->ids, "The ids of those to revoke")->required();
  }
  revoke->add_option("--reason", options->reason, "For the record, at most 200 characters");
  AddWaitFlags(*revoke, options->wait, "Wait until it is gone from every registered edge");
  revoke->callback([&session, options] { session.command = [&session, options] { return Revoke(session, *options); }; });
}

}  // namespace idzone::cli
