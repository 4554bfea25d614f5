// SPDX-License-Identifier: MIT
#include <chrono>
#include <string_view>
#include <thread>

#include "services/core/base/limits.h"
#include "services/process/daemon.h"
#include "services/process/log.h"
#include "services/replica/edge_metrics.h"
#include "services/replica/follower.h"
#include "services/replica/follower_home.h"
#include "services/replica/follower_metrics.h"
#include "services/replica/link.h"
#include "services/rpc/channel.h"
#include "services/transfer/secondary_service.h"

namespace {

using namespace idzone;

/// Room for the envelope of the greatest message.
constexpr int kMessageOctetsMax = limits::kFeedMessageOctetsMax + 64 * 1024;

std::vector<process::ConfigKey> DeclaredKeys() {
  return {
      process::RequiredText("feed.address", "host:port of idzone-feedd; its certificate must name the host"),
      process::RequiredText("tls.certificate", "PEM file: the edge's certificate chain; read again when it changes"),
      process::RequiredText("tls.private_key", "PEM file: its private key"),
      process::RequiredText("tls.server_ca", "PEM file: the authorities of the feed's certificate; read again when it changes"),
      process::RequiredText("replica.directory", "directory of the replica; made when it is not there"),
      process::OptionalInteger("replica.map_size_mib", 1024, 16, 1024 * 1024, "how large the replica may grow"),
      process::OptionalInteger("replica.lag_max_seconds", 3600, 1, 30 * 24 * 3600,
                               "ready ends when nothing could be applied for so long; answers do not"),
      process::OptionalInteger("replica.shrink_max_percent", 50, 1, 100,
                               "a snapshot that takes more of a zone's names away waits for an operator; 100: none does"),
      process::OptionalText("replica.verify", "all", "which signatures are verified: all, sample or none"),
      process::OptionalText("replica.anchors_file", "",
                            "file of DS records: only these zones are followed, with these keys; empty: trust on first use"),
      process::OptionalText("secondaries.list_file", "",
                            "on a transfer host: file of the foreign secondaries, with their keys; mode 0600; empty: there are none"),
      process::OptionalInteger("secondaries.notify_period_seconds", 10, 1, 3600, "a zone is told to them at most once in this time"),
      process::OptionalText("secondaries.catalog", "", "name of the catalog zone for them (RFC 9432); empty: there is none"),
  };
}

Result<replica::FollowerOptions> OptionsFrom(const process::Config& config) {
  replica::FollowerOptions options;
  const auto mode = replica::ParseVerifyMode(config.Text("replica.verify"));
  if (!mode) return tl::unexpected(mode.error());
  options.verify = *mode;
  options.shrink.percent_max = static_cast<unsigned>(config.Integer("replica.shrink_max_percent"));
  options.accept = replica::AcceptFile(config.Text("replica.directory") + "/accept");
  if (const std::string& file = config.Text("replica.anchors_file"); !file.empty()) {
    auto anchors = replica::AnchorSet::Read(file);
    if (!anchors) return tl::unexpected(anchors.error());
    options.anchors = std::move(*anchors);
  }
  return options;
}

/// Starts what serves secondaries, when there is a list of them.
Result<std::unique_ptr<transfer::SecondaryService>> StartSecondaries(process::DaemonContext& context,
                                                                     const std::shared_ptr<replica::Environment>& environment,
                                                                     const Clock& clock) {
  const process::Config& config = context.config;
  transfer::SecondaryOptions options;
  options.list_file = config.Text("secondaries.list_file");
  if (options.list_file.empty()) return nullptr;
  options.notify_period = std::chrono::seconds(config.Integer("secondaries.notify_period_seconds"));
  if (const std::string& name = config.Text("secondaries.catalog"); !name.empty()) {
    auto catalog = dns::Name::Parse(name, "secondaries.catalog");
    if (!catalog) return tl::unexpected(catalog.error());
    options.catalog = *std::move(catalog);
    options.catalog_file = std::filesystem::path(config.Text("replica.directory")) / "catalog";
  }
  return transfer::SecondaryService::Start(options, environment, clock, context.observatory.registry());
}

Result<void> Run(process::DaemonContext& context) {
  const process::Config& config = context.config;
  auto options = OptionsFrom(config);
  if (!options) return tl::unexpected(options.error());
  if (options->verify != replica::VerifyMode::kAll)
    process::Log(process::LogLevel::kWarning, "replica.verifies_less", {{"verify", config.Text("replica.verify")}});
  auto channel = rpc::MakeChannel({.address = config.Text("feed.address"),
                                   .certificate = config.Text("tls.certificate"),
                                   .private_key = config.Text("tls.private_key"),
                                   .server_ca = config.Text("tls.server_ca"),
                                   .message_octets_max = kMessageOctetsMax});
  if (!channel) return tl::unexpected(channel.error());
  context.observatory.SetNotReady("the replica is being inspected");
  auto opened = replica::ReplicaHome::Open(
      {.directory = config.Text("replica.directory"), .map_octets = static_cast<std::size_t>(config.Integer("replica.map_size_mib")) << 20},
      context.stop);
  if (!opened && context.stop.stop_requested()) return {};
  if (!opened) return tl::unexpected(opened.error());
  replica::ReplicaHome& home = **opened;
  for (const replica::Remembered& remembered : home.remembered()) options->floors[remembered.zone] = remembered.position;

  auto board = replica::FigureBoard::Create(config.Text("replica.directory"));
  if (!board) return tl::unexpected(board.error());

  const process::SystemClock clock;
  replica::EdgeMetrics edge_metrics(context.observatory.registry(), home.writer().environment(), *std::move(board));
  const std::jthread watch([&](const std::stop_token& stop) { edge_metrics.Run(stop, clock); });
  replica::FollowerMetrics metrics(context.observatory.registry());
  const auto secondaries = StartSecondaries(context, home.writer().environment(), clock);
  if (!secondaries) return tl::unexpected(secondaries.error());
  replica::Follower follower(home.writer(), std::move(*options), clock, &metrics);
  replica::FeedLink link(*channel, follower, metrics,
                         {.current = [&] { context.observatory.SetReady(); },
                          .trouble = [&](const std::string& reason) { context.observatory.SetNotReady(reason); },
                          .caught_up = [&] { return home.MoveIn(); },
                          .served = [&] { return home.served(); },
                          // One that has none any more says so, too: else whoever waits would wait for those that it had.
                          .secondaries = [&](bool all) -> std::optional<zone::SecondaryReport> {
                            if (*secondaries) return (*secondaries)->TakeReport(all);
                            return all ? std::optional(zone::SecondaryReport{}) : std::nullopt;
                          }},
                         {.lag_max = std::chrono::seconds(config.Integer("replica.lag_max_seconds"))});
  std::stop_source ending;
  const auto end = [&] { ending.request_stop(); };
  const std::stop_callback drained(context.stop, end);
  const std::stop_callback lost(home.lost(), end);
  auto ran = link.Run(ending.get_token());
  // Whoever supervises starts the daemon again, and then the replica is inspected and made anew.
  if (const auto damage = home.damage()) return tl::unexpected(*damage);
  return ran;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--inspect") return idzone::replica::InspectHere(argv[2]);
  return idzone::process::RunDaemon(argc, argv, {.program = "idzone-replicad", .keys = DeclaredKeys(), .run = Run});
}
