// SPDX-License-Identifier: MIT
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/output/resource.h"
#include "idzone/v1/namespace_service.grpc.pb.h"
#include "services/core/records/profile.h"

namespace idzone::cli {
namespace {

using Stub = v1::NamespaceService::Stub;

const std::map<std::string, v1::LayoutKind> kLayouts = {{"flat", v1::LAYOUT_KIND_FLAT}, {"tree", v1::LAYOUT_KIND_TREE}};

struct Options {
  std::string name;
  std::vector<std::string> name_servers;
  std::string layout;
  std::optional<std::uint32_t> width;
  std::uint64_t expected = 0;
  std::string policy;
  std::string profile;
  std::string operator_id;
};

std::string LayoutText(const v1::Layout& layout) {
  switch (layout.kind()) {
    case v1::LAYOUT_KIND_FLAT: return "flat";
    case v1::LAYOUT_KIND_TREE: return "tree " + std::to_string(layout.width());
    default: return "unknown";
  }
}

std::string ProfileName(v1::RecordProfile profile) {
  switch (profile) {
    case v1::RECORD_PROFILE_TLSA_3_1_1: return "3 1 1";
    case v1::RECORD_PROFILE_TLSA_3_1_2: return "3 1 2";
    case v1::RECORD_PROFILE_TLSA_3_0_1: return "3 0 1";
    case v1::RECORD_PROFILE_TLSA_3_1_0: return "3 1 0";
    default: return "unknown";
  }
}

Json ToJson(const v1::Namespace& resource) {
  Json object = {{"name", resource.name()},
                 {"operator", resource.operator_id()},
                 {"layout", LayoutText(resource.layout())},
                 {"policy", resource.policy()},
                 {"profile", ProfileName(resource.profile())},
                 {"name_servers", Json::array()},
                 {"zone_exists", resource.zone_exists()},
                 {"create_time", FormatTime(resource.create_time())}};
  for (const auto& server : resource.name_servers()) object["name_servers"].push_back(server);
  return object;
}

Outcome Create(const Session& session, const Options& options) {
  v1::CreateNamespaceRequest request;
  v1::Namespace& resource = *request.mutable_namespace_resource();
  resource.set_name(options.name);
  resource.set_operator_id(options.operator_id);
  resource.set_policy(options.policy);
  for (const std::string& server : options.name_servers) resource.add_name_servers(server);
  request.set_expected_identities(options.expected);
  if (!options.profile.empty()) {
    const auto profile = records::ParseProfile(options.profile);
    if (!profile) return tl::unexpected(Misused("create namespace " + options.name, profile.error()));
    resource.set_profile(static_cast<v1::RecordProfile>(*profile));
  }
  // An unset layout lets the server choose; a chosen width means a tree.
  if (!options.layout.empty()) resource.mutable_layout()->set_kind(kLayouts.at(options.layout));
  if (options.width) {
    if (options.layout.empty()) resource.mutable_layout()->set_kind(v1::LAYOUT_KIND_TREE);
    resource.mutable_layout()->set_width(*options.width);
  } else if (options.layout == "tree" && options.expected == 0) {
    resource.mutable_layout()->set_width(2);
  }
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::CreateNamespace, request, "create namespace " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->namespace_resource()));
  return ExitCode::kOk;
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"NAME", "name"},
                     {"OPERATOR", "operator"},
                     {"LAYOUT", "layout"},
                     {"POLICY", "policy"},
                     {"PROFILE", "profile"},
                     {"ZONE", "zone_exists"}});
  v1::ListNamespacesRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListNamespaces, request, "list namespaces");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->namespaces()) writer.Add(ToJson(resource));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Show(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetNamespaceRequest request;
  request.set_name(options.name);
  const auto response = Call(session, stub, &Stub::GetNamespace, request, "show namespace " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->namespace_resource()));
  return ExitCode::kOk;
}

}  // namespace

void AddNamespaceCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("namespace", "Namespaces of devices, each with its zone");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* create = noun->add_subcommand("create", "Create a namespace; the signer then makes its key and zone");
  create->add_option("NAME", options->name, "_device.<domain>")->required();
  create->add_option("--ns", options->name_servers, "Host name of a name server; repeat for each, the primary first")->required();
  create->add_option("--layout", options->layout, "tree (default) or flat")->check(CLI::IsMember(kLayouts));
  create->add_option("--width", options->width, "Hex digits between id and namespace in a tree, 0 to 3");
  create->add_option("--expect", options->expected, "Number of devices expected, from which the server chooses the width");
  create->add_option("--policy", options->policy, "fast, standard (default) or relaxed: how long signatures live");
  create->add_option("--profile", options->profile, "\"3 1 1\" (default), \"3 1 2\", \"3 0 1\" or \"3 1 0\": the TLSA record");
  create->add_option("--operator", options->operator_id, "The operator that it belongs to (default: the caller's)");
  create->callback([&session, options] { session.command = [&session, options] { return Create(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List namespaces");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  CLI::App* show = noun->add_subcommand("show", "Show a namespace");
  show->add_option("NAME", options->name, "_device.<domain>")->required();
  show->callback([&session, options] { session.command = [&session, options] { return Show(session, *options); }; });
}

}  // namespace idzone::cli
