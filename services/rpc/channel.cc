// SPDX-License-Identifier: MIT
#include "services/rpc/channel.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "services/rpc/tls_files.h"

namespace idzone::rpc {
namespace {

constexpr unsigned kReloadSeconds = 1;

struct Holder {
  std::unique_ptr<TlsFiles> files;
  std::shared_ptr<grpc::Channel> channel;
};

}  // namespace

Result<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options) {
  auto files = TlsFiles::Open({options.certificate, options.private_key, options.server_ca});
  if (!files) return tl::unexpected(files.error());
  const TlsFileNames& copies = (*files)->copies();
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      copies.private_key.string(), copies.certificate.string(), copies.authorities.string(), kReloadSeconds);
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_provider(provider);
  tls.watch_root_certs();
  tls.watch_identity_key_cert_pairs();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.message_octets_max);
  // A server that vanished is noticed while a stream waits for it. Servers of ours allow a ping every 10 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  // Not a wait but how long one attempt may take: TLS on a loaded machine must fit.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  // A lost connection is only tried again after its name was looked up again, which by default waits 30 s.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 500);
  // The copies live as long as the channel does.
  const auto holder = std::make_shared<Holder>();
  holder->files = std::move(*files);
  holder->channel = grpc::CreateCustomChannel(options.address, grpc::experimental::TlsCredentials(tls), arguments);
  return std::shared_ptr<grpc::Channel>(holder, holder->channel.get());
}

}  // namespace idzone::rpc
