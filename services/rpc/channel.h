// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "services/core/base/error.h"

namespace grpc {
class Channel;
}

/// The client's side of the connection.
namespace idzone::rpc {

struct ChannelOptions {
  std::string address;  // "localhost:7443": the certificate of the server must name the host or address
  std::filesystem::path certificate;
  std::filesystem::path private_key;
  std::filesystem::path server_ca;
  int message_octets_max = 4 * 1024 * 1024;  // of a received message
};

/// Returns a channel with mutual TLS; it connects when it is first used, and again by itself. The three files are read
/// again when they change, for the next connection. KEY_FILE_INVALID.
Result<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options);

}  // namespace idzone::rpc
