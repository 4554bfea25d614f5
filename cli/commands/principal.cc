// SPDX-License-Identifier: MIT
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/input.h"
#include "cli/output/resource.h"
#include "idzone/v1/operator_service.grpc.pb.h"
#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

using Stub = v1::OperatorService::Stub;

const std::map<std::string, v1::Role> kRoles = {
    {"admin", v1::ROLE_ADMIN}, {"enroller", v1::ROLE_ENROLLER}, {"auditor", v1::ROLE_AUDITOR}, {"re-enroller", v1::ROLE_RE_ENROLLER}};

struct Options {
  std::string operator_id;
  std::string display_name;
  std::string role;
  std::string certificate;
  std::string fingerprint;
};

std::string RoleName(v1::Role role) {
  for (const auto& [name, number] : kRoles) {
    if (number == role) return name;
  }
  return "unknown";
}

Json ToJson(const v1::Principal& resource) {
  Json object = {{"fingerprint", HexEncode(resource.fingerprint())},  {"operator", resource.operator_id()},
                 {"display_name", resource.display_name()},           {"role", RoleName(resource.role())},
                 {"create_time", FormatTime(resource.create_time())}, {"disable_time", nullptr}};
  if (resource.has_disable_time()) object["disable_time"] = FormatTime(resource.disable_time());
  return object;
}

Outcome Create(const Session& session, const Options& options) {
  const auto certificate = ReadMaterialFile(options.certificate);
  if (!certificate) return tl::unexpected(Misused("create a principal", certificate.error()));
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::CreatePrincipalRequest request;
  request.set_operator_id(options.operator_id);
  request.set_display_name(options.display_name.empty() ? options.role + " of " + options.operator_id : options.display_name);
  request.set_role(kRoles.at(options.role));
  request.set_certificate(*certificate);
  const auto response = Call(session, stub, &Stub::CreatePrincipal, request, "create a principal of " + options.operator_id);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->principal()));
  return ExitCode::kOk;
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(
      session.out, session.format,
      {{"FINGERPRINT", "fingerprint"}, {"OPERATOR", "operator"}, {"ROLE", "role"}, {"NAME", "display_name"}, {"DISABLED", "disable_time"}});
  v1::ListPrincipalsRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListPrincipals, request, "list principals");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->principals()) writer.Add(ToJson(resource));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Disable(const Session& session, const Options& options) {
  const auto fingerprint = HexDecode(options.fingerprint, "fingerprint");
  if (!fingerprint) return tl::unexpected(Misused("disable a principal", fingerprint.error()));
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::DisablePrincipalRequest request;
  request.set_fingerprint(*fingerprint);
  const auto response = Call(session, stub, &Stub::DisablePrincipal, request, "disable principal " + options.fingerprint);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, ToJson(response->principal()));
  return ExitCode::kOk;
}

}  // namespace

void AddPrincipalCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("principal", "Certificates that may call the server, and in which role");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* create = noun->add_subcommand("create", "Let a certificate's key call");
  create->add_option("--operator", options->operator_id, "The operator that it acts for")->required();
  create->add_option("--role", options->role, "admin, enroller, auditor or re-enroller")->required()->check(CLI::IsMember(kRoles));
  create->add_option("--certificate", options->certificate, "File with the client certificate, PEM or DER")->required();
  create->add_option("--name", options->display_name, "Name for people");
  create->callback([&session, options] { session.command = [&session, options] { return Create(session, *options); }; });

  CLI::App* list = noun->add_subcommand("list", "List principals");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  CLI::App* disable = noun->add_subcommand("disable", "End a principal's rights at once and for ever");
  disable->add_option("FINGERPRINT", options->fingerprint, "SHA-256 of its public key, hex, as in the list")->required();
  disable->callback([&session, options] { session.command = [&session, options] { return Disable(session, *options); }; });
}

}  // namespace idzone::cli
