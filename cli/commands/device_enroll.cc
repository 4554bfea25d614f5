// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/device.h"
#include "cli/input.h"
#include "cli/output/resource.h"
#include "idzone/v1/enrollment_service.grpc.pb.h"

namespace idzone::cli {
namespace {

struct Options {
  std::string namespace_name;
  std::string id;
  std::string certificate;
  std::string certificate_request;
  std::string public_key;
  bool wait = false;
  double wait_seconds = 600;
};

Outcome Enroll(const Session& session, const Options& options) {
  using Stub = v1::EnrollmentService::Stub;
  const std::string what = "enroll " + options.id + " in " + options.namespace_name;
  v1::EnrollRequest request;
  request.set_namespace_name(options.namespace_name);
  request.set_id(options.id);
  const std::string& file = !options.certificate.empty()           ? options.certificate
                            : !options.certificate_request.empty() ? options.certificate_request
                                                                   : options.public_key;
  const auto material = ReadMaterialFile(file);
  if (!material) return tl::unexpected(Misused(what, material.error()));
  if (!options.certificate.empty()) {
    request.set_certificate(*material);
  } else if (!options.certificate_request.empty()) {
    request.set_certificate_request(*material);
  } else {
    request.set_public_key(*material);
  }

  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  const auto response = Call(session, stub, &Stub::Enroll, request, what);
  if (!response) return tl::unexpected(response.error());
  Json object = IdentityJson(response->identity());
  object["already_enrolled"] = response->already_enrolled();
  if (options.wait) {
    const auto live = WaitUntilLive(
        session,
        {.namespace_name = options.namespace_name, .changes = {response->identity().change()}, .timeout_seconds = options.wait_seconds});
    // What was enrolled is shown in any case: it is enrolled, whether or not it is live yet.
    object["live"] = live.has_value();
    if (live) object["live_version"] = VersionJson(live->epoch, live->serial);
    WriteObject(session.out, session.format, object);
    if (!live) return tl::unexpected(live.error());
    return ExitCode::kOk;
  }
  WriteObject(session.out, session.format, object);
  return ExitCode::kOk;
}

}  // namespace

void AddDeviceEnrollCommand(CLI::App& noun, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* enroll = noun.add_subcommand("enroll", "Enroll one device");
  enroll->add_option("NAMESPACE", options->namespace_name, "_device.<domain>")->required();
  enroll->add_option("ID", options->id, "The device's id")->required();
  CLI::Option_group* material = enroll->add_option_group("material", "The device's key, PEM or DER; \"-\" reads standard input");
  material->add_option("--certificate", options->certificate, "File with its certificate");
  material->add_option("--csr", options->certificate_request, "File with a certificate request of it");
  material->add_option("--public-key", options->public_key, "File with its public key (SubjectPublicKeyInfo)");
  material->require_option(1);
  enroll->add_flag("--wait", options->wait, "Wait until it is live at every registered edge");
  enroll->add_option("--wait-timeout", options->wait_seconds, "Seconds to wait at most (default: 600)")->check(CLI::PositiveNumber);
  enroll->callback([&session, options] { session.command = [&session, options] { return Enroll(session, *options); }; });
}

}  // namespace idzone::cli
