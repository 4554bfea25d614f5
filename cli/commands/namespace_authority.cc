// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/namespace.h"
#include "cli/commands/wait_until_live.h"
#include "cli/input.h"
#include "cli/output/namespace_json.h"
#include "idzone/v1/namespace_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::NamespaceService::Stub;

struct Options {
  std::string name;
  std::string certificate;
  bool full = false;
  WaitFlags wait;
};

Outcome Set(const Session& session, const Options& options) {
  const std::string what = "set the CA of " + options.name;
  const auto certificate = ReadMaterialFile(options.certificate);
  if (!certificate) return tl::unexpected(Misused(what, certificate.error()));
  v1::SetAuthorityRequest request;
  request.set_name(options.name);
  request.set_certificate(*certificate);
  request.set_full_certificate(options.full);

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::SetAuthority, request, what);
  if (!response) return tl::unexpected(response.error());
  const v1::Namespace& resource = response->namespace_resource();
  return WriteChanged(session, NamespaceJson(resource), options.wait, options.name, {resource.authority().change()});
}

Outcome Remove(const Session& session, const Options& options) {
  const std::string what = "remove the CA of " + options.name;
  v1::RemoveAuthorityRequest request;
  request.set_name(options.name);

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::RemoveAuthority, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = NamespaceJson(response->namespace_resource());
  object["removed"] = response->change() != 0;
  // Nothing was there: an empty list waits for whatever else is acknowledged.
  std::vector<std::uint64_t> changes;
  if (response->change() != 0) changes.push_back(response->change());
  return WriteChanged(session, std::move(object), options.wait, options.name, std::move(changes));
}

}  // namespace

void AddNamespaceAuthorityCommands(CLI::App& noun, Session& session) {
  CLI::App* authority = noun.add_subcommand("ca", "The namespace's certification authority: set, remove");
  authority->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* set = authority->add_subcommand("set", "Publish a CA, in place of the one before: TLSA 2 0 1, or 2 0 0 with --full");
  set->add_option("NAMESPACE", options->name, "_user.<domain>, or a namespace created with --wildcard-ca")->required();
  set->add_option("--certificate", options->certificate, "File with the CA's certificate, PEM or DER")->required();
  set->add_flag("--full", options->full, "Publish the certificate itself, for servers that must fetch it");
  AddWaitFlags(*set, options->wait, "Wait until it is live at every registered edge");
  set->callback([&session, options] { session.command = [&session, options] { return Set(session, *options); }; });

  CLI::App* remove = authority->add_subcommand("remove", "Take the CA out, for ever");
  remove->add_option("NAMESPACE", options->name, "_user.<domain>, or a namespace created with --wildcard-ca")->required();
  AddWaitFlags(*remove, options->wait, "Wait until it is gone from every registered edge");
  remove->callback([&session, options] { session.command = [&session, options] { return Remove(session, *options); }; });
}

}  // namespace idzone::cli
