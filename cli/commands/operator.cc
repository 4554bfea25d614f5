// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/output/resource.h"
#include "idzone/v1/operator_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::OperatorService::Stub;

struct Options {
  std::string id;
  std::string display_name;
};

Json ToJson(const v1::Operator& resource) {
  return {{"id", resource.id()}, {"display_name", resource.display_name()}, {"create_time", FormatTime(resource.create_time())}};
}

Outcome Create(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::CreateOperatorRequest request;
  request.set_id(options.id);
  request.set_display_name(options.display_name.empty() ? options.id : options.display_name);
  const auto response = Call(session, stub, &Stub::CreateOperator, request, "create operator " + options.id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->operator_resource()));
  return ExitCode::kOk;
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format, {{"ID", "id"}, {"NAME", "display_name"}, {"CREATED", "create_time"}});
  v1::ListOperatorsRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListOperators, request, "list operators");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->operators()) writer.Add(ToJson(resource));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

}  // namespace

void AddOperatorCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("operator", "Manufacturers, integrators and owners of devices");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* create = noun->add_subcommand("create", "Create an operator");
  create->add_option("ID", options->id, "Lower-case letters, digits and hyphens")->required();
  create->add_option("--name", options->display_name, "Name for people (default: the id)");
  create->callback([&session, options] { session.command = [&session, options] { return Create(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List operators");
  list->callback([&session] { session.command = [&session] { return List(session); }; });
}

}  // namespace idzone::cli
