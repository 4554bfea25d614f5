// SPDX-License-Identifier: MIT
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/call.h"
#include "cli/commands/commands.h"
#include "cli/delegation_query.h"
#include "cli/output/atomic_file.h"
#include "cli/output/resource.h"
#include "idzone/v1/zone_service.grpc.pb.h"
#include "services/core/base/octets.h"

namespace idzone::cli {
namespace {

using Stub = v1::ZoneService::Stub;

struct Options {
  std::string name;
  std::string file;
  std::string server;
  std::string reason;
};

Json ToJson(const v1::Zone& resource) {
  Json object = {{"name", resource.name()},
                 {"namespace", resource.namespace_name()},
                 {"epoch", resource.epoch()},
                 {"serial", resource.serial()},
                 {"digest", HexEncode(resource.digest())},
                 {"node_count", resource.node_count()},
                 {"last_sign_time", FormatTime(resource.last_sign_time())},
                 {"delegation_records", Json::array()},
                 {"keys", Json::array()},
                 {"edges", Json::array()}};
  for (const auto& record : resource.delegation_records()) object["delegation_records"].push_back(record);
  for (const auto& key : resource.keys())
    object["keys"].push_back({{"key_tag", key.key_tag()}, {"algorithm", key.algorithm()}, {"key_id", HexEncode(key.key_id())}});
  for (const auto& edge : resource.edges())
    object["edges"].push_back(
        {{"edge", edge.edge_id()}, {"epoch", edge.epoch()}, {"serial", edge.serial()}, {"report_time", FormatTime(edge.report_time())}});
  return object;
}

tl::expected<v1::Zone, Failure> Get(const Session& session, const std::string& name) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetZoneRequest request;
  request.set_name(name);
  const auto response = Call(session, stub, &Stub::GetZone, request, "show zone " + name);
  if (!response) return tl::unexpected(response.error());
  return response->zone();
}

Outcome List(const Session& session) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  ListWriter writer(session.out, session.format,
                    {{"NAME", "name"}, {"EPOCH", "epoch"}, {"SERIAL", "serial"}, {"NODES", "node_count"}, {"SIGNED", "last_sign_time"}});
  v1::ListZonesRequest request;
  do {
    const auto response = Call(session, stub, &Stub::ListZones, request, "list zones");
    if (!response) return tl::unexpected(response.error());
    for (const auto& resource : response->zones()) writer.Add(ToJson(resource));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  writer.End();
  return ExitCode::kOk;
}

Outcome Show(const Session& session, const Options& options) {
  const auto zone = Get(session, options.name);
  if (!zone) return tl::unexpected(zone.error());
  WriteObject(session.out, session.format, ToJson(*zone));
  return ExitCode::kOk;
}

/// Seconds, or nothing.
Json SpanJson(bool has, const google::protobuf::Duration& span) {
  return has ? Json(span.seconds()) : Json(nullptr);
}

Json StatusJson(const v1::ZoneStatus& status) {
  Json object = {
      {"name", status.name()},
      {"namespace", status.namespace_name()},
      {"policy", status.policy()},
      {"version", VersionJson(status.epoch(), status.serial())},
      {"last_sign_time", FormatTime(status.last_sign_time())},
      {"least_expire_time", FormatTime(status.least_expire_time())},
      {"least_signature_life_seconds", status.least_signature_life().seconds()},
      {"renew_time", FormatTime(status.renew_time())},
      {"revocation_queue_age_seconds", SpanJson(status.has_revocation_queue_age(), status.revocation_queue_age())},
      {"enrollment_queue_age_seconds", SpanJson(status.has_enrollment_queue_age(), status.enrollment_queue_age())},
      {"quarantine_end_time", nullptr},
      {"next_key_event", nullptr},
      {"next_key_event_time", nullptr},
      {"names", status.node_count()},
      {"secondaries", Json::array()},
      {"secondary_revocation_bound_seconds", SpanJson(status.has_secondary_revocation_bound(), status.secondary_revocation_bound())},
      {"alarms", Json::array()},
      {"problems", Json::array()}};
  if (status.has_quarantine_end_time()) object["quarantine_end_time"] = FormatTime(status.quarantine_end_time());
  if (!status.next_key_event().empty()) object["next_key_event"] = status.next_key_event();
  if (status.has_next_key_event_time()) object["next_key_event_time"] = FormatTime(status.next_key_event_time());
  for (const auto& secondary : status.secondaries())
    object["secondaries"].push_back({{"secondary", secondary.secondary_id()},
                                     {"transfer_host", secondary.edge_id()},
                                     {"version", VersionJson(secondary.epoch(), secondary.serial())},
                                     {"report_time", FormatTime(secondary.report_time())},
                                     {"notify_period_seconds", secondary.notify_period().seconds()}});
  for (const auto& alarm : status.alarms())
    object["alarms"].push_back({{"reason", alarm.reason()},
                                {"detail", alarm.detail()},
                                {"raise_time", FormatTime(alarm.raise_time())},
                                {"report_time", FormatTime(alarm.report_time())}});
  for (const auto& problem : status.problems()) object["problems"].push_back(problem);
  return object;
}

Outcome Status(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::GetZoneStatusRequest request;
  request.set_name(options.name);
  const auto response = Call(session, stub, &Stub::GetZoneStatus, request, "tell the status of zone " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, StatusJson(response->status()));
  return response->status().problems().empty() ? ExitCode::kOk : ExitCode::kUnwell;
}

Outcome TrustClock(const Session& session, const Options& options) {
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  Stub stub(*channel);
  v1::TrustClockRequest request;
  request.set_name(options.name);
  request.set_reason(options.reason);
  const auto response = Call(session, stub, &Stub::TrustClock, request, "trust the clock for zone " + options.name);
  if (!response) return tl::unexpected(response.error());
  WriteObject(session.out, session.format, {{"name", options.name}, {"clock_trusted", true}});
  return ExitCode::kOk;
}

/// The lines for the parent, and nothing else: they go into its zone file as they are, and they are a file of trust
/// anchors for `idzone verify`.
Outcome Ds(const Session& session, const Options& options) {
  const auto zone = Get(session, options.name);
  if (!zone) return tl::unexpected(zone.error());
  if (session.format == OutputFormat::kTable) {
    for (const auto& record : zone->delegation_records()) session.out << record << '\n';
    return ExitCode::kOk;
  }
  Json object = {{"zone", zone->name()}, {"records", Json::array()}};
  for (const auto& record : zone->delegation_records()) object["records"].push_back(record);
  WriteObject(session.out, session.format, object);
  return ExitCode::kOk;
}

Outcome CheckDelegation(const Session& session, const Options& options) {
  const std::string what = "check the delegation of " + options.name;
  const auto zone = Get(session, options.name);
  if (!zone) return tl::unexpected(zone.error());
  const auto name = dns::Name::Parse(zone->name(), "zone");
  if (!name) return tl::unexpected(Misused(what, name.error()));
  const auto met = QueryDelegation(*name, options.server);
  if (!met && met.error().reason == Reason::kUnavailable) return tl::unexpected(Failure{what, met.error(), ExitCode::kUnreachable});
  if (!met) return tl::unexpected(Misused(what, met.error()));
  const Delegation wanted = ParseDelegation({zone->delegation_records().begin(), zone->delegation_records().end()});
  const auto problems = CompareDelegations(wanted, *met);
  const auto list = [](const auto& texts) {
    Json array = Json::array();
    for (const auto& text : texts) array.push_back(text);
    return array;
  };
  WriteObject(session.out, session.format,
              {{"zone", zone->name()},
               {"server", options.server},
               {"agrees", problems.empty()},
               {"problems", list(problems)},
               {"wanted", {{"ns", list(wanted.name_servers)}, {"ds", list(wanted.delegation_signers)}}},
               {"met", {{"ns", list(met->name_servers)}, {"ds", list(met->delegation_signers)}}}});
  return problems.empty() ? ExitCode::kOk : ExitCode::kNotVerified;
}

Outcome Export(const Session& session, const Options& options) {
  const std::string what = "export zone " + options.name;
  const auto channel = Connect(session);
  if (!channel) return tl::unexpected(channel.error());
  AtomicFile file(options.file);
  if (!options.file.empty()) {
    if (const Result<void> opened = file.Open(); !opened) return tl::unexpected(Misused(what, opened.error()));
  }
  std::ostream& out = options.file.empty() ? session.out : file.stream();

  Stub stub(*channel);
  grpc::ClientContext context;
  // No deadline: a zone of millions of names takes as long as it takes, and a broken connection ends the call.
  v1::ExportZoneRequest request;
  request.set_name(options.name);
  const auto stream = stub.ExportZone(&context, request);
  v1::ExportZoneResponse response;
  while (out && stream->Read(&response)) out << response.text();
  if (!out) context.TryCancel();
  const grpc::Status status = stream->Finish();
  if (!out) return tl::unexpected(Failure{what, {Reason::kInternal, "output", "room for the zone", "a write error"}, ExitCode::kOther});
  if (!status.ok()) return tl::unexpected(Refused(what, status));
  if (!options.file.empty()) {
    if (const Result<void> written = file.Commit(); !written) return tl::unexpected(Misused(what, written.error()));
  }
  return ExitCode::kOk;
}

}  // namespace

void AddZoneCommands(CLI::App& app, Session& session) {
  CLI::App* noun = app.add_subcommand("zone", "Signed zones, as published");
  noun->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* list = noun->add_subcommand("list", "List zones with their versions");
  list->callback([&session] { session.command = [&session] { return List(session); }; });

  const auto add = [&](const char* verb, const char* text, Outcome (*run)(const Session&, const Options&)) {
    CLI::App* command = noun->add_subcommand(verb, text);
    command->add_option("NAME", options->name, "The zone's name")->required();
    command->callback([&session, options, run] { session.command = [&session, options, run] { return run(session, *options); }; });
    return command;
  };
  add("show", "Show a zone: version, keys, and where its edges stand", Show);
  add("status", "Tell how a zone fares: signature life, queue, alarms; exit code 8 when something is wrong", Status);
  add("trust-clock", "Say that the signer's clock is right, after CLOCK_DOUBT about the zone's last signatures (role admin)", TrustClock)
      ->add_option("--reason", options->reason, "For the record, at most 200 characters");
  add("ds", "Print the NS and DS records for the parent zone", Ds);
  add("check-delegation", "Compare what the parent says of a zone with what it should say: exit 0 when it agrees, 7 when not",
      CheckDelegation)
      ->add_option("--server", options->server, "ADDRESS[@PORT] of a resolver, or of a server of the parent zone")
      ->required();
  add("export", "Write the whole signed zone in master file form", Export)
      ->add_option("--file", options->file, "Write there, all or nothing (default: standard output)");
}

}  // namespace idzone::cli
