// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/identity.h"
#include "cli/commands/material_options.h"
#include "cli/commands/wait_until_live.h"
#include "cli/output/resource.h"
#include "idzone/v1/enrollment_service.grpc.pb.h"

namespace idzone::cli {
namespace {

struct Options {
  std::string namespace_name;
  std::string id;
  std::string label;
  MaterialOptions material;
  WaitFlags wait;
};

Outcome ReEnroll(const Session& session, const Options& options) {
  using Stub = v1::EnrollmentService::Stub;
  const std::string what = "enroll " + options.id + " again in " + options.namespace_name;
  Result<Material> material = ReadMaterial(options.material);
  if (!material) return tl::unexpected(Misused(what, material.error()));
  v1::ReEnrollRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  SetMaterial(request, *std::move(material));

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::ReEnroll, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = IdentityJson(response->identity());
  object["already_re_enrolled"] = response->already_re_enrolled();
  return WriteChanged(session, std::move(object), options.wait, options.namespace_name, {response->identity().change()});
}

Outcome Enroll(const Session& session, const Options& options) {
  using Stub = v1::EnrollmentService::Stub;
  const std::string what = "enroll " + options.id + " in " + options.namespace_name;
  Result<Material> material = ReadMaterial(options.material);
  if (!material) return tl::unexpected(Misused(what, material.error()));
  v1::EnrollRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  request.set_label_privacy(LabelPrivacyOf(options.label));
  SetMaterial(request, *std::move(material));

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::Enroll, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = IdentityJson(response->identity());
  object["already_enrolled"] = response->already_enrolled();
  return WriteChanged(session, std::move(object), options.wait, options.namespace_name, {response->identity().change()});
}

}  // namespace

void AddIdentityEnrollCommand(CLI::App& command, Session& session, const IdentityNoun& noun) {
  auto options = std::make_shared<Options>();
  CLI::App* enroll = command.add_subcommand("enroll", "Enroll one with its first key");
  AddNamespaceArgument(*enroll, options->namespace_name, noun);
  AddIdArgument(*enroll, options->id, noun);
  AddLabelOption(*enroll, options->label, noun);
  AddMaterialOptions(*enroll, options->material);
  AddWaitFlags(*enroll, options->wait, "Wait until it is live at every registered edge");
  enroll->callback([&session, options] { session.command = [&session, options] { return Enroll(session, *options); }; });

  CLI::App* again = command.add_subcommand("re-enroll", "Enroll a revoked one again, with a new key (role re-enroller)");
  AddNamespaceArgument(*again, options->namespace_name, noun);
  AddIdArgument(*again, options->id, noun);
  AddMaterialOptions(*again, options->material);
  AddWaitFlags(*again, options->wait, "Wait until it is live at every registered edge");
  again->footer("Refused until its old record can be believed nowhere any more: the show command says until when.");
  again->callback([&session, options] { session.command = [&session, options] { return ReEnroll(session, *options); }; });
}

}  // namespace idzone::cli
