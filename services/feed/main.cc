// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdlib>

#include "services/core/base/limits.h"
#include "services/feed/edge_directory.h"
#include "services/feed/feed_handler.h"
#include "services/process/daemon.h"
#include "services/process/log.h"
#include "services/rpc/server.h"
#include "services/store/database.h"
#include "services/store/hint_listener.h"

namespace {

using namespace idzone;
using process::LogLevel;
using std::chrono::milliseconds;

constexpr milliseconds kDrainMax(10'000);
/// Two threads a stream, and gRPC's own.
constexpr int kThreadsBeside = 16;

std::vector<process::ConfigKey> DeclaredKeys() {
  return {
      process::OptionalText("listen.address", "127.0.0.1:7444", "host:port of the gRPC service"),
      process::RequiredText("tls.certificate", "PEM file: the server's certificate chain; read again when it changes"),
      process::RequiredText("tls.private_key", "PEM file: its private key"),
      process::RequiredText("tls.client_ca", "PEM file: the authorities of the edges' certificates; read again when it changes"),
      process::RequiredText("database.url", "libpq URL, for the role idzone_feedd"),
      process::OptionalInteger("feed.poll_ms", 100, 10, 60'000, "how often the database is looked at"),
      process::OptionalInteger("feed.streams_max", 64, 1, 1024, "edges that can be connected at once"),
      process::OptionalInteger("feed.snapshots_max", 4, 1, 64, "snapshots that are read at once, each on a connection of its own"),
  };
}

store::DatabaseOptions OptionsFor(const process::Config& config, const char* purpose, std::size_t connections) {
  return {.url = config.Text("database.url"),
          .application_name = std::string("idzone-feedd ") + purpose,
          .connections_max = connections,
          .settings = store::FeedSessionSettings(),
          .on_failure = [purpose](std::string_view sqlstate, std::string_view message) {
            process::Log(LogLevel::kWarning, "database.failed", {{"purpose", purpose}, {"sqlstate", sqlstate}, {"message", message}});
          }};
}

/// Everything that serves, in the order in which it must be made.
struct Parts {
  store::Database polling;
  store::Database recording;
  store::Database snapshot_reading;
  std::counting_semaphore<> snapshots;
  process::SystemClock clock;
  rpc::CallMetrics call_metrics;
  feed::Metrics metrics;
  feed::ZoneBoard board{polling, metrics};
  feed::PositionRecorder recorder{recording};
  feed::EdgeDirectory edges{polling};
  rpc::CallGate gate;
  feed::FeedHandler handler;

  Parts(const process::Config& config, rpc::ClientAuthority& authority, prometheus::Registry& registry)
      : polling(OptionsFor(config, "polling", 3)),
        recording(OptionsFor(config, "recording", 1)),
        snapshot_reading(OptionsFor(config, "snapshots", static_cast<std::size_t>(config.Integer("feed.snapshots_max")))),
        snapshots(static_cast<std::ptrdiff_t>(config.Integer("feed.snapshots_max"))),
        call_metrics(registry),
        metrics(registry),
        gate({authority, edges, feed::FeedAccess(), clock, &call_metrics}),
        handler(gate, {snapshot_reading, board, recorder, metrics, snapshots},
                static_cast<std::size_t>(config.Integer("feed.streams_max"))) {}
};

/// The poller: the one thread that looks for new versions, when it is told of one or the time is up. Ready while it succeeds.
void Poll(process::DaemonContext& context, Parts& parts, rpc::Server& server, milliseconds every) {
  store::HintListener hints(context.config.Text("database.url"), store::kPublishedHint);
  process::Backoff backoff(milliseconds(100), milliseconds(5'000));
  bool told = false;
  while (!context.stop.stop_requested()) {
    const Result<void> refreshed = parts.board.Refresh();
    if (refreshed) {
      if (!context.observatory.ready()) process::Log(LogLevel::kInfo, "feed.ready", {{"port", server.port()}});
      context.observatory.SetReady();
      backoff.Reset();
      told = false;
    } else {
      parts.metrics.CountPollFailure();
      if (!told) process::LogError(LogLevel::kWarning, "feed.not_ready", refreshed.error());
      told = true;
      context.observatory.SetNotReady(std::string(ReasonName(refreshed.error().reason)) + " " + refreshed.error().Detail());
    }
    server.SetServing(refreshed.has_value());
    if (refreshed) {
      hints.Wait(every);
    } else {
      process::SleepFor(context.stop, backoff.Next());
    }
  }
}

Result<void> Run(process::DaemonContext& context) {
  const process::Config& config = context.config;
  const process::SystemClock clock;
  auto authority = rpc::ClientAuthority::Open(config.Text("tls.client_ca"), clock.Now());
  if (!authority) return tl::unexpected(authority.error());
  Parts parts(config, **authority, context.observatory.registry());
  rpc::ServerOptions options;
  options.address = config.Text("listen.address");
  options.certificate = config.Text("tls.certificate");
  options.private_key = config.Text("tls.private_key");
  options.message_octets_max = limits::kFeedMessageOctetsMax;
  options.streams_per_connection_max = 4;
  options.threads_max = static_cast<int>(config.Integer("feed.streams_max")) * 2 + kThreadsBeside;
  auto server = rpc::Server::Start(options, {&parts.handler});
  if (!server) return tl::unexpected(server.error());
  process::Log(LogLevel::kInfo, "feed.listening", {{"address", options.address}, {"port", (*server)->port()}});
  Poll(context, parts, **server, milliseconds(config.Integer("feed.poll_ms")));
  context.observatory.SetNotReady("draining");
  (*server)->SetServing(false);
  parts.handler.Drain();
  (*server)->Drain(kDrainMax);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // For the listener's connection; before any thread exists, because setenv is not safe beside others.
  setenv("PGCONNECT_TIMEOUT", "3", 0);
  return idzone::process::RunDaemon(argc, argv, {.program = "idzone-feedd", .keys = DeclaredKeys(), .run = Run});
}
