// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/namespace.h"
#include "cli/output/resource.h"
#include "idzone/v1/namespace_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::NamespaceService::Stub;

struct Options {
  std::string name;
  std::string prefix;
};

std::string StateText(v1::CutState state) {
  switch (state) {
    case v1::CUT_STATE_PREPARING: return "preparing";
    case v1::CUT_STATE_DELEGATED: return "delegated";
    case v1::CUT_STATE_OPEN: return "open";
    default: return "unknown";
  }
}

Json ToJson(const v1::Cut& cut) {
  Json object = {{"prefix", cut.prefix()},
                 {"zone", cut.zone()},
                 {"state", StateText(cut.state())},
                 {"request_time", FormatTime(cut.request_time())},
                 {"edges_behind", Json::array()}};
  for (const auto& edge : cut.edges_behind()) object["edges_behind"].push_back(edge);
  return object;
}

Outcome Add(const Session& session, const Options& options) {
  v1::AddCutRequest request;
  request.set_name(options.name);
  request.set_prefix(options.prefix);
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::AddCut, request, "add cut " + options.prefix + " to " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->cut()));
  return ExitCode::kOk;
}

Outcome List(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"PREFIX", "prefix"}, {"ZONE", "zone"}, {"STATE", "state"}, {"REQUESTED", "request_time"}});
  v1::ListCutsRequest request;
  request.set_name(options.name);
  do {
    const auto response = Call(session, stub, &Stub::ListCuts, request, "list cuts of " + options.name);
    if (!response) return tl::unexpected(response.error());
    for (const auto& cut : response->cuts()) writer.Add(ToJson(cut));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

}  // namespace

void AddNamespaceCutCommands(CLI::App& noun, Session& session) {
  CLI::App* cut = noun.add_subcommand("cut", "Zone cuts of an enum namespace: add, list");
  cut->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* add = cut->add_subcommand("add", "Make a zone of its own of all ids that begin with a prefix, for ever, before there are any");
  add->add_option("NAMESPACE", options->name, "An enum namespace")->required();
  add->add_option("PREFIX", options->prefix, "What the ids begin with: an OUI, a country code, a company prefix")->required();
  add->callback([&session, options] { session.command = [&session, options] { return Add(session, *options); }; });

  CLI::App* list = cut->add_subcommand("list", "List the cuts: preparing, delegated (some edges are behind), open for enrollment");
  list->add_option("NAMESPACE", options->name, "An enum namespace")->required();
  list->callback([&session, options] { session.command = [&session, options] { return List(session, *options); }; });
}

}  // namespace idzone::cli
