// SPDX-License-Identifier: MIT
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/commands/namespace.h"
#include "cli/output/namespace_json.h"
#include "idzone/v1/namespace_service.grpc.pb.h"
#include "services/core/records/profile.h"

namespace idzone::cli {
namespace {

using Stub = v1::NamespaceService::Stub;

struct Options {
  std::string name;
  std::vector<std::string> name_servers;
  std::string layout;
  std::optional<std::uint32_t> width;
  std::uint64_t expected = 0;
  std::string policy;
  std::string profile;
  std::string operator_id;
  std::string form;
  std::string labels;
  std::string denial;
  std::string algorithm;
  bool wildcard_ca = false;
  bool mail_records = false;
};

/// An option that was not given leaves the choice to the server.
template <typename Enum>
Enum Chosen(const Spellings<Enum>& spellings, const std::string& text) {
  return text.empty() ? Enum{} : spellings.at(text);
}

/// An unset layout lets the server choose; a chosen width means a tree, a chosen form enum.
void ChooseLayout(const Options& options, v1::Namespace& resource) {
  std::string kind = options.layout;
  if (kind.empty() && !options.form.empty()) kind = "enum";
  if (kind.empty() && options.width) kind = "tree";
  if (kind.empty()) return;
  v1::Layout& layout = *resource.mutable_layout();
  layout.set_kind(kLayoutKinds.at(kind));
  layout.set_form(Chosen(kEnumForms, options.form));
  if (options.width) layout.set_width(*options.width);
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
  ChooseLayout(options, resource);
  resource.set_labels(Chosen(kLabelPrivacies, options.labels));
  resource.set_denial(Chosen(kDenialKinds, options.denial));
  resource.set_algorithm(Chosen(kSigningAlgorithms, options.algorithm));
  resource.set_wildcard_ca(options.wildcard_ca);
  resource.set_mail_records(options.mail_records);
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::CreateNamespace, request, "create namespace " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, NamespaceJson(response->namespace_resource()));
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
                     {"LABELS", "labels"},
                     {"POLICY", "policy"},
                     {"PROFILE", "profile"},
                     {"DENIAL", "denial"},
                     {"ALGORITHM", "algorithm"},
                     {"ZONE", "zone_exists"}});
  v1::ListNamespacesRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListNamespaces, request, "list namespaces");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->namespaces()) writer.Add(NamespaceJson(resource));
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
  WriteObject(session.out, session.format, NamespaceJson(response->namespace_resource()));
  return ExitCode::kOk;
}

}  // namespace

void AddNamespaceCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("namespace", "Namespaces of identities, each with its zone");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* create = noun->add_subcommand("create", "Create a namespace; the signer then makes its key and zone");
  create
      ->add_option("NAME", options->name, "_device.<domain>, _user.<domain>, _<service>.<host>, _openpgpkey.<domain>, _smimecert.<domain>")
      ->required();
  create->add_option("--ns", options->name_servers, "Host name of a name server; repeat for each, the primary first")->required();
  create->add_option("--layout", options->layout, "tree (default), flat or enum: how an id becomes a name")
      ->check(CLI::IsMember(kLayoutKinds));
  create->add_option("--width", options->width,
                     "Hex digits between id and namespace in a tree, 0 to 3: 1, 17, 257 or 4097 zones (default 1)");
  create->add_option("--form", options->form, "What the ids of enum are: digits, nibbles, eui48, eui64, imei, gs1 or e164")
      ->check(CLI::IsMember(kEnumForms));
  create->add_option("--expect", options->expected, "Number of identities expected, from which the server chooses the width");
  create
      ->add_option("--labels", options->labels, "clear, private or chosen: whether names show ids (default: private for users, else clear)")
      ->check(CLI::IsMember(kLabelPrivacies));
  create->add_option("--policy", options->policy, "fast, standard (default) or relaxed: how long signatures live");
  create->add_option("--profile", options->profile, "\"3 1 1\" (default), \"3 1 2\", \"3 0 1\", \"3 1 0\" or \"3 0 0\": the TLSA record");
  create->add_option("--denial", options->denial, "nsec3 (default) or nsec: how absence is proved")->check(CLI::IsMember(kDenialKinds));
  create->add_option("--algorithm", options->algorithm, "ecdsa (default, P-256) or ed25519: the zone's keys")
      ->check(CLI::IsMember(kSigningAlgorithms));
  create->add_flag("--wildcard-ca", options->wildcard_ca, "It holds one CA at * and no identities: see namespace ca set");
  create->add_flag("--mail-records", options->mail_records, "It may hold OPENPGPKEY or SMIMEA records of mailboxes");
  create->add_option("--operator", options->operator_id, "The operator that it belongs to (default: the caller's)");
  create->callback([&session, options] { session.command = [&session, options] { return Create(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List namespaces");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  AddNamespaceAuthorityCommands(*noun, session);
  AddNamespaceCutCommands(*noun, session);

  CLI::App* show = noun->add_subcommand("show", "Show a namespace");
  show->add_option("NAME", options->name, "The namespace's name")->required();
  show->callback([&session, options] { session.command = [&session, options] { return Show(session, *options); }; });
}

}  // namespace idzone::cli
