// SPDX-License-Identifier: MIT
#include "cli/commands/identity.h"

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
/// The id of a namespace's only identity, at its apex (identity.proto).
constexpr char kApexId[] = "@";

const std::map<std::string, v1::LabelPrivacy> kLabels = {{"clear", v1::LABEL_PRIVACY_CLEAR}, {"private", v1::LABEL_PRIVACY_PRIVATE}};

constexpr IdentityNoun kNouns[] = {
    {.name = "device",
     .many = "devices",
     .namespace_hint = "_device.<domain>",
     .id_hint = "The device's id",
     .title = "Devices: name, enroll, rotate keys, revoke, wait",
     .labels = true},
    {.name = "user",
     .many = "users",
     .namespace_hint = "_user.<domain>",
     .id_hint = "The user's id: a name, or a telephone number where the namespace has those",
     .title = "Users: name, enroll, rotate keys, revoke, wait",
     .labels = true},
    {.name = "service",
     .many = "services",
     .namespace_hint = "_<service>.<host>",
     .id_hint = nullptr,
     .title = "Client services of hosts, one a namespace: name, enroll, rotate keys, revoke, wait",
     .labels = false},
    {.name = "mailbox",
     .many = "mailboxes",
     .namespace_hint = "_openpgpkey.<domain> or _smimecert.<domain>",
     .id_hint = "The mailbox: what stands before the @ of its address, in the same letters",
     .title = "OpenPGP keys and S/MIME certificates of mailboxes: name, enroll, rotate keys, revoke, wait",
     .labels = false},
};

struct Options {
  std::string namespace_name;
  std::string id;
  std::string label;
  std::string state = "all";
  std::uint64_t count_max = 0;
};

Outcome Name(const Session& session, const Options& options, const IdentityNoun& noun) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::EnrollmentService::Stub stub(*channel);
  v1::ComputeOwnerNameRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  request.set_label_privacy(LabelPrivacyOf(options.label));
  const std::string what = std::string("name ") + noun.name + ' ' + options.id;
  const auto response = Call(session, stub, &v1::EnrollmentService::Stub::ComputeOwnerName, request, what);
  if (!response) return tl::unexpected(response.error());
  // For people and shells the bare name; it goes into certificates.
  if (session.format == OutputFormat::kTable) {
    session.out << CellText(Json(response->owner_name())) << '\n';
  } else {
    WriteObject(session.out, session.format, {{"id", options.id}, {"owner_name", response->owner_name()}});
  }
  return ExitCode::kOk;
}

Outcome List(const Session& session, const Options& options, const IdentityNoun& noun) {
  const std::string what = std::string("list ") + noun.many + " of " + options.namespace_name;
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::IdentityService::Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"ID", "id"},
                     {"STATE", "state"},
                     {"OWNER NAME", "owner_name"},
                     {"KEYS", "active_keys"},
                     {"RECORD", "record"},
                     {"VERSION", "version"}});
  v1::ListIdentitiesRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_state(kStates.at(options.state));
  std::uint64_t rest = options.count_max;
  do {
    request.set_page_size(rest == 0 ? kPageSize : static_cast<std::uint32_t>(std::min<std::uint64_t>(rest, kPageSize)));
    const auto response = Call(session, stub, &v1::IdentityService::Stub::ListIdentities, request, what);
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

Outcome Show(const Session& session, const Options& options, const IdentityNoun& noun) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  v1::IdentityService::Stub stub(*channel);
  v1::GetIdentityRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  const std::string what = std::string("show ") + noun.name + ' ' + options.id;
  const auto response = Call(session, stub, &v1::IdentityService::Stub::GetIdentity, request, what);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, IdentityJson(response->identity()));
  return ExitCode::kOk;
}

}  // namespace

void AddNamespaceArgument(CLI::App& command, std::string& namespace_name, const IdentityNoun& noun) {
  command.add_option("NAMESPACE", namespace_name, noun.namespace_hint)->required();
}

void AddIdArgument(CLI::App& command, std::string& id, const IdentityNoun& noun) {
  if (noun.id_hint == nullptr) {
    id = kApexId;
    return;
  }
  command.add_option("ID", id, noun.id_hint)->required();
}

void AddLabelOption(CLI::App& command, std::string& label, const IdentityNoun& noun) {
  if (!noun.labels) return;
  command.add_option("--label", label, "clear or private: whether its name shows its id, where the namespace leaves that to each")
      ->check(CLI::IsMember(kLabels));
}

v1::LabelPrivacy LabelPrivacyOf(const std::string& label) {
  const auto found = kLabels.find(label);
  return found == kLabels.end() ? v1::LABEL_PRIVACY_UNSPECIFIED : found->second;
}

void AddIdentityReadCommands(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<Options>();
  const auto run = [&session, options, &noun](CLI::App* verb, Outcome (*function)(const Session&, const Options&, const IdentityNoun&)) {
    verb->callback([&session, options, &noun, function] {
      session.command = [&session, options, &noun, function] { return function(session, *options, noun); };
    });
  };

  CLI::App* name = command.add_subcommand("name", "Print the name that it will have, before it has a certificate");
  AddNamespaceArgument(*name, options->namespace_name, noun);
  AddIdArgument(*name, options->id, noun);
  AddLabelOption(*name, options->label, noun);
  run(name, Name);

  CLI::App* list = command.add_subcommand("list", "List what a namespace has, by id");
  AddNamespaceArgument(*list, options->namespace_name, noun);
  list->add_option("--state", options->state, "all (default), active or revoked")->check(CLI::IsMember(kStates));
  list->add_option("--limit", options->count_max, "At most so many (default: all)");
  run(list, List);

  CLI::App* show = command.add_subcommand("show", "Show one, with all of its keys");
  AddNamespaceArgument(*show, options->namespace_name, noun);
  AddIdArgument(*show, options->id, noun);
  run(show, Show);
}

void AddIdentityCommands(CLI::App& app, Session& session) {
  for (const IdentityNoun& noun : kNouns) {
    CLI::App* command = app.add_subcommand(noun.name, noun.title);
    command->require_subcommand(1);
    AddIdentityReadCommands(*command, session, noun);
    AddIdentityEnrollCommand(*command, session, noun);
    // A namespace of one identity has nothing to import.
    if (noun.id_hint != nullptr) AddIdentityImportCommand(*command, session, noun);
    AddIdentityKeyCommands(*command, session, noun);
    AddIdentityRevokeCommand(*command, session, noun);
    AddIdentityWaitCommand(*command, session, noun);
  }
}

}  // namespace idzone::cli
