// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/identity.h"
#include "cli/commands/material_options.h"
#include "cli/commands/wait_until_live.h"
#include "cli/output/resource.h"
#include "idzone/v1/identity_service.grpc.pb.h"

namespace idzone::cli {
namespace {

using Stub = v1::IdentityService::Stub;

constexpr std::size_t kFingerprintOctets = 32;

struct Options {
  std::string namespace_name;
  std::string id;
  MaterialOptions material;
  std::string fingerprint;
  std::string reason;
  WaitFlags wait;
};

Outcome AddKey(const Session& session, const Options& options) {
  const std::string what = "add a key to " + options.id + " in " + options.namespace_name;
  Result<Material> material = ReadMaterial(options.material);
  if (!material) return tl::unexpected(Misused(what, material.error()));
  v1::AddKeyRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  SetMaterial(request, *std::move(material));

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::AddKey, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = IdentityJson(response->identity());
  object["already_added"] = response->already_added();
  return WriteChanged(session, std::move(object), options.wait, options.namespace_name, {response->identity().change()});
}

Outcome RetireKey(const Session& session, const Options& options) {
  const std::string what = "retire a key of " + options.id + " in " + options.namespace_name;
  const Result<Octets> fingerprint = HexDecode(options.fingerprint, "FINGERPRINT");
  if (!fingerprint) return tl::unexpected(Misused(what, fingerprint.error()));
  if (fingerprint->size() != kFingerprintOctets)
    return tl::unexpected(
        Misused(what, {Reason::kValueMalformed, "FINGERPRINT", "64 hex digits", std::to_string(options.fingerprint.size()) + " of them"}));
  v1::RetireKeyRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  request.set_fingerprint(*fingerprint);
  request.set_reason(options.reason);

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::RetireKey, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = IdentityJson(response->identity());
  object["already_retired"] = response->already_retired();
  return WriteChanged(session, std::move(object), options.wait, options.namespace_name, {response->identity().change()});
}

}  // namespace

void AddIdentityKeyCommands(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<Options>();
  CLI::App* add = command.add_subcommand("add-key", "Publish another key beside those that it has: the first step of a rotation");
  AddNamespaceArgument(*add, options->namespace_name, noun);
  AddIdArgument(*add, options->id, noun);
  AddMaterialOptions(*add, options->material);
  AddWaitFlags(*add, options->wait, "Wait until it is live at every registered edge");
  add->footer("Then wait for the record's TTL, switch the key, and retire-key the old one.");
  add->callback([&session, options] { session.command = [&session, options] { return AddKey(session, *options); }; });

  CLI::App* retire = command.add_subcommand("retire-key", "Take a key away, for ever: the last step of a rotation");
  AddNamespaceArgument(*retire, options->namespace_name, noun);
  AddIdArgument(*retire, options->id, noun);
  retire->add_option("FINGERPRINT", options->fingerprint, "Of the key, 64 hex digits: see the show command")->required();
  retire->add_option("--reason", options->reason, "For the record, at most 200 characters");
  AddWaitFlags(*retire, options->wait, "Wait until it is gone from every registered edge");
  retire->callback([&session, options] { session.command = [&session, options] { return RetireKey(session, *options); }; });
}

}  // namespace idzone::cli
