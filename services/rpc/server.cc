// SPDX-License-Identifier: MIT
#include "services/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <mutex>

#include "services/process/log.h"
#include "services/rpc/tls_files.h"

namespace idzone::rpc {
namespace {

constexpr unsigned kReloadSeconds = 1;
/// Request metadata is a request id; gRPC's own headers need a few hundred octets.
constexpr int kMetadataOctetsMax = 8 * 1024;
constexpr std::size_t kMemoryOctetsMax = 512UL * 1024 * 1024;

std::shared_ptr<grpc::ServerCredentials> Credentials(const TlsFileNames& files) {
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(files.private_key.string(),
                                                                                             files.certificate.string(), kReloadSeconds);
  grpc::experimental::TlsServerCredentialsOptions tls(provider);
  tls.watch_identity_key_cert_pairs();
  // Not verified by TLS: ClientAuthority does it, with typed refusals, also of a caller who shows none.
  tls.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  return grpc::experimental::TlsServerCredentials(tls);
}

/// Plugins of gRPC are process-wide and must be there before the first builder.
void EnablePlugins() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("idzone");
  quota.Resize(kMemoryOctetsMax).SetMaxThreads(options.threads_max);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(options.message_octets_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataOctetsMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_per_connection_max);
  // A second server on the same port is a mistake to be told, not a load balancer.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // A client that vanished is noticed within 40 s; one that pings more often than every 10 s is sent away.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, const std::vector<grpc::Service*>& services) {
  auto files = TlsFiles::Open({options.certificate, options.private_key, {}}, [](const Error& error) {
    process::LogError(process::LogLevel::kError, "rpc.certificate_not_renewed", error);
  });
  if (!files) return tl::unexpected(files.error());
  EnablePlugins();
  grpc::ServerBuilder builder;
  std::unique_ptr<Server> server(new Server);
  server->files_ = std::move(*files);
  builder.AddListeningPort(options.address, Credentials(server->files_->copies()), &server->port_);
  SetLimits(options, builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0)
    return Fail(Reason::kValueMalformed, "listen.address", "an address and a free port to listen on", options.address);
  server->SetServing(false);
  return server;
}

Server::~Server() {
  if (server_ != nullptr) Drain(std::chrono::milliseconds(0));
}

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Drain(std::chrono::milliseconds deadline) {
  server_->Shutdown(std::chrono::system_clock::now() + deadline);
  server_->Wait();
}

}  // namespace idzone::rpc
