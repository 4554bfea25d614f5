// SPDX-License-Identifier: MIT
#include "cli/commands/device.h"

#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/output/resource.h"
#include "idzone/v1/enrollment_service.grpc.pb.h"
#include "idzone/v1/identity_service.grpc.pb.h"

namespace idzone::cli {
namespace {

const std::map<std::string, v1::IdentityState> kStates = {
    {"all", v1::IDENTITY_STATE_UNSPECIFIED}, {"active", v1::IDENTITY_STATE_ACTIVE}, {"revoked", v1::IDENTITY_STATE_REVOKED}};
constexpr std::uint32_t kPageSize = 1000;

struct Options {
  std::string namespace_name;
  std::string id;
  std::string state = "all";
  std::uint64_t count_max = 0;
};

Outcome Name(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::EnrollmentService::Stub stub(*channel);
  v1::ComputeOwnerNameRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  const auto response = Call(session, stub, &v1::EnrollmentService::Stub::ComputeOwnerName, request, "name device " + options.id);
  if (!response) return tl::unexpected(response.error());
  // For people and shells the bare name; it goes into certificates.
  if (session.format == OutputFormat::kTable) {
    session.out << CellText(Json(response->owner_name())) << '\n';
  } else {
    WriteObject(session.out, session.format, {{"id", options.id}, {"owner_name", response->owner_name()}});
  }
  return ExitCode::kOk;
}

Outcome List(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::IdentityService::Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"ID", "id"}, {"STATE", "state"}, {"OWNER NAME", "owner_name"}, {"RECORD", "record"}, {"VERSION", "version"}});
  v1::ListIdentitiesRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_state(kStates.at(options.state));
  std::uint64_t rest = options.count_max;
  do {
    request.set_page_size(rest == 0 ? kPageSize : static_cast<std::uint32_t>(std::min<std::uint64_t>(rest, kPageSize)));
    const auto response =
        Call(session, stub, &v1::IdentityService::Stub::ListIdentities, request, "list devices of " + options.namespace_name);
    if (!response) return tl::unexpected(response.error());
    for (const auto& identity : response->identities()) writer.Add(IdentityJson(identity));
    request.set_page_token(response->next_page_token());
    if (rest != 0) {
      const auto got = static_cast<std::uint64_t>(response->identities_size());
      if (got >= rest) break;
      rest -= got;
    }
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Show(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::IdentityService::Stub stub(*channel);
  v1::GetIdentityRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  const auto response = Call(session, stub, &v1::IdentityService::Stub::GetIdentity, request, "show device " + options.id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, IdentityJson(response->identity()));
  return ExitCode::kOk;
}

}  // namespace

void AddDeviceReadCommands(CLI::App& noun, Session& session) {
  auto options = std::make_shared<Options>();

  CLI::App* name = noun.add_subcommand("name", "Print the name that a device will have, before it has a certificate");
  name->add_option("NAMESPACE", options->namespace_name, "_device.<domain>")->required();
  name->add_option("ID", options->id, "The device's id")->required();
  name->callback([&session, options] { session.command = [&session, options] { return Name(session, *options); }; });

  CLI::App* list = noun.add_subcommand("list", "List a namespace's devices by id");
  list->add_option("NAMESPACE", options->namespace_name, "_device.<domain>")->required();
  list->add_option("--state", options->state, "all (default), active or revoked")->check(CLI::IsMember(kStates));
  list->add_option("--limit", options->count_max, "At most so many (default: all)");
  list->callback([&session, options] { session.command = [&session, options] { return List(session, *options); }; });

  CLI::App* show = noun.add_subcommand("show", "Show a device");
  show->add_option("NAMESPACE", options->namespace_name, "_device.<domain>")->required();
  show->add_option("ID", options->id, "The device's id")->required();
  show->callback([&session, options] { session.command = [&session, options] { return Show(session, *options); }; });
}

void AddDeviceCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("device", "Devices: name, enroll, revoke, wait");
  noun->require_subcommand(1);
  AddDeviceReadCommands(*noun, session);
  AddDeviceEnrollCommand(*noun, session);
  AddDeviceImportCommand(*noun, session);
  AddDeviceRevokeCommand(*noun, session);
  AddDeviceWaitCommand(*noun, session);
}

}  // namespace idzone::cli
