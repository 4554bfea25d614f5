// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/input.h"
#include "cli/output/resource.h"
#include "idzone/v1/edge_service.grpc.pb.h"
#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

using Stub = v1::EdgeService::Stub;

struct Options {
  std::string id;
  std::string certificate;
};

Json ToJson(const v1::Edge& resource) {
  Json object = {{"id", resource.id()},
                 {"fingerprint", HexEncode(resource.fingerprint())},
                 {"create_time", FormatTime(resource.create_time())},
                 {"zones", Json::array()}};
  bool current = resource.positions_size() > 0;
  for (const auto& position : resource.positions()) {
    current = current && position.epoch() == position.published_epoch() && position.serial() == position.published_serial();
    object["zones"].push_back({{"zone", position.zone()},
                               {"version", VersionJson(position.epoch(), position.serial())},
                               {"published", VersionJson(position.published_epoch(), position.published_serial())},
                               {"report_time", FormatTime(position.report_time())}});
  }
  object["current"] = current;
  return object;
}

Outcome Add(const Session& session, const Options& options) {
  const auto certificate = ReadMaterialFile(options.certificate);
  if (!certificate) return tl::unexpected(Misused("add edge " + options.id, certificate.error()));
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::RegisterEdgeRequest request;
  request.set_id(options.id);
  request.set_certificate(*certificate);
  const auto response = Call(session, stub, &Stub::RegisterEdge, request, "add edge " + options.id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->edge()));
  return ExitCode::kOk;
}

Outcome Remove(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::RemoveEdgeRequest request;
  request.set_id(options.id);
  const auto response = Call(session, stub, &Stub::RemoveEdge, request, "remove edge " + options.id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->edge()));
  return ExitCode::kOk;
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"ID", "id"}, {"CURRENT", "current"}, {"FINGERPRINT", "fingerprint"}, {"CREATED", "create_time"}});
  v1::ListEdgesRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListEdges, request, "list edges");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->edges()) writer.Add(ToJson(resource));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Show(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetEdgeRequest request;
  request.set_id(options.id);
  const auto response = Call(session, stub, &Stub::GetEdge, request, "show edge " + options.id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->edge()));
  return ExitCode::kOk;
}

}  // namespace

void AddEdgeCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("edge", "DNS hosts that follow the zones");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* add = noun->add_subcommand("add", "Register a DNS host by the certificate that its idzone-replicad shows");
  add->add_option("ID", options->id, "Lower-case letters, digits, hyphens and dots")->required();
  add->add_option("--certificate", options->certificate, "File with the client certificate, PEM or DER")->required();
  add->callback([&session, options] { session.command = [&session, options] { return Add(session, *options); }; });

  CLI::App* remove = noun->add_subcommand("remove", "Remove a DNS host that was stopped: nobody waits for it any more");
  remove->add_option("ID", options->id, "As registered")->required();
  remove->callback([&session, options] { session.command = [&session, options] { return Remove(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List DNS hosts and whether they are current");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  CLI::App* show = noun->add_subcommand("show", "Show a DNS host and where it stands in each zone");
  show->add_option("ID", options->id, "As registered")->required();
  show->callback([&session, options] { session.command = [&session, options] { return Show(session, *options); }; });
}

}  // namespace idzone::cli
