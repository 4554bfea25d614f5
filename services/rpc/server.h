// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "services/core/base/error.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

/// A gRPC server with TLS, limits, health and reflection. It asks for a client certificate and leaves judging it to the
/// CallGate. Its own certificate is read again when the files change, without a restart.
namespace idzone::rpc {

class TlsFiles;

struct ServerOptions {
  std::string address;  // "127.0.0.1:7443"; port 0 takes a free one
  std::filesystem::path certificate;
  std::filesystem::path private_key;
  int message_octets_max = 0;  // of a received message
  /// Calls at once on one connection, and threads in all: what one client, and all of them, can hold.
  int streams_per_connection_max = 128;
  int threads_max = 256;
};

class Server {
 public:
  /// Starts to serve. The services must outlive the server.
  /// KEY_FILE_INVALID: the certificate or key cannot be read, or do not belong together. VALUE_MALFORMED: the address
  /// cannot be listened on.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, const std::vector<grpc::Service*>& services);
  ~Server();

  int port() const { return port_; }
  /// What the standard health service says.
  void SetServing(bool serving);
  /// Accepts nothing more, lets calls finish until the deadline, then cancels what is left.
  void Drain(std::chrono::milliseconds deadline);

 private:
  Server() = default;
  std::unique_ptr<TlsFiles> files_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace idzone::rpc
