// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "cli/connection.h"
#include "cli/failure.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace idzone::cli {

/// One invocation: the global options, where to write, and the command that the caller chose.
struct Session {
  explicit Session(std::ostream& out_stream, std::ostream& err_stream) : out(out_stream), err(err_stream) {}

  ConnectionOptions connection;
  OutputFormat format = OutputFormat::kTable;
  double timeout_seconds = 30;
  std::ostream& out;
  std::ostream& err;
  std::function<Outcome()> command;
};

/// Returns a channel to the server that the options name. It connects with the first call.
tl::expected<std::shared_ptr<grpc::Channel>, Failure> Connect(const Session& session);

/// Gives a call its deadline: now and `--timeout`, and `extra` for what the server itself may wait.
void Prepare(const Session& session, grpc::ClientContext& context, std::chrono::milliseconds extra = {});

}  // namespace idzone::cli
