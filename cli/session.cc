// SPDX-License-Identifier: MIT
#include "cli/session.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "services/core/base/limits.h"
#include "services/rpc/channel.h"

namespace idzone::cli {

tl::expected<std::shared_ptr<grpc::Channel>, Failure> Connect(const Session& session) {
  const Result<ConnectionOptions> options = CompleteConnection(session.connection, ProcessEnvironment, ConnectionFile(ProcessEnvironment));
  if (!options) return tl::unexpected(Misused("reach the server", options.error()));
  auto channel = rpc::MakeChannel({.address = options->server,
                                   .certificate = options->tls_certificate,
                                   .private_key = options->tls_key,
                                   .server_ca = options->tls_ca,
                                   .message_octets_max = limits::kFeedMessageOctetsMax});
  if (!channel) return tl::unexpected(Misused("reach the server", channel.error()));
  return *channel;
}

void Prepare(const Session& session, grpc::ClientContext& context, std::chrono::milliseconds extra) {
  const auto own = std::chrono::milliseconds(static_cast<std::int64_t>(session.timeout_seconds * 1000));
  context.set_deadline(std::chrono::system_clock::now() + own + extra);
}

}  // namespace idzone::cli
