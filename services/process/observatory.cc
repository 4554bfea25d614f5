// SPDX-License-Identifier: MIT
#include "services/process/observatory.h"

#include <charconv>
#include <mutex>
#include <thread>

#include <httplib.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "services/process/log.h"

namespace idzone::process {
namespace {

struct Endpoint {
  std::string host;
  int port = 0;
};

Result<Endpoint> ParseEndpoint(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  Endpoint endpoint;
  if (colon != std::string_view::npos && colon > 0) {
    endpoint.host = address.substr(0, colon);
    const std::string_view digits = address.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
    if (error == std::errc() && end == digits.data() + digits.size() && endpoint.port >= 0 && endpoint.port <= 65535) return endpoint;
  }
  return Fail(Reason::kValueMalformed, "observe.address", "host:port", std::string(address));
}

/// Probes are few and short: two threads, and no connection kept longer than a probe needs.
constexpr std::size_t kThreads = 2;
constexpr time_t kTimeoutSeconds = 2;

}  // namespace

struct Observatory::Parts {
  prometheus::Registry registry;
  prometheus::Gauge* ready_gauge = nullptr;
  httplib::Server server;
  std::thread thread;
  int port = 0;

  mutable std::mutex mutex;
  std::string not_ready_reason = "starting";  // guarded by mutex; empty: ready

  std::string NotReadyReason() const {
    const std::scoped_lock lock(mutex);
    return not_ready_reason;
  }
  void SetReason(std::string reason) {
    const std::scoped_lock lock(mutex);
    if (not_ready_reason == reason) return;
    not_ready_reason = std::move(reason);
    ready_gauge->Set(not_ready_reason.empty() ? 1 : 0);
    if (not_ready_reason.empty()) {
      Log(LogLevel::kInfo, "process.ready");
    } else {
      Log(LogLevel::kInfo, "process.not_ready", {{"why", not_ready_reason}});
    }
  }

  void AddRoutes();
  Result<void> Listen(const Endpoint& endpoint);
};

void Observatory::Parts::AddRoutes() {
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_max_count(1);
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.Get("/livez", [](const httplib::Request&, httplib::Response& response) { response.set_content("live\n", "text/plain"); });
  server.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const std::string reason = NotReadyReason();
    response.status = reason.empty() ? 200 : 503;
    response.set_content(reason.empty() ? "ready\n" : reason + "\n", "text/plain");
  });
  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(prometheus::TextSerializer().Serialize(registry.Collect()), "text/plain; version=0.0.4");
  });
}

Result<void> Observatory::Parts::Listen(const Endpoint& endpoint) {
  AddRoutes();
  // The library's default is SO_REUSEPORT: two daemons would share one port and nobody would be told.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  if (endpoint.port == 0) {
    port = server.bind_to_any_port(endpoint.host);
  } else {
    port = server.bind_to_port(endpoint.host, endpoint.port) ? endpoint.port : -1;
  }
  if (port <= 0) {
    port = 0;
    return Fail(Reason::kUnavailable, "observe.address", "an address that is free",
                endpoint.host + ":" + std::to_string(endpoint.port) + " cannot be bound");
  }
  thread = std::thread([this] { server.listen_after_bind(); });
  return {};
}

Observatory::Observatory(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Observatory>> Observatory::Start(std::string_view address) {
  auto parts = std::make_unique<Parts>();
  parts->ready_gauge =
      &prometheus::BuildGauge().Name("idzone_ready").Help("1 while the daemon says that it is ready").Register(parts->registry).Add({});
  if (!address.empty()) {
    auto endpoint = ParseEndpoint(address);
    if (!endpoint) return tl::unexpected(endpoint.error());
    if (auto listening = parts->Listen(*endpoint); !listening) return tl::unexpected(listening.error());
  }
  return std::unique_ptr<Observatory>(new Observatory(std::move(parts)));
}

Observatory::~Observatory() {
  if (!parts_->thread.joinable()) return;
  // stop() does nothing before the loop runs, and then nobody would stop it.
  while (!parts_->server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  parts_->server.stop();
  parts_->thread.join();
}

void Observatory::SetReady() {
  parts_->SetReason("");
}

void Observatory::SetNotReady(std::string reason) {
  parts_->SetReason(reason.empty() ? "not ready" : std::move(reason));
}

bool Observatory::ready() const {
  return parts_->NotReadyReason().empty();
}

prometheus::Registry& Observatory::registry() {
  return parts_->registry;
}

int Observatory::port() const {
  return parts_->port;
}

}  // namespace idzone::process
