// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "cli/session.h"

namespace idzone::cli {

/// Calls one unary method with the session's deadline and returns its response.
template <typename Stub, typename Request, typename Response>
tl::expected<Response, Failure> Call(const Session& session, Stub& stub,
                                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                                     std::string what, std::chrono::milliseconds extra = {}) {
  grpc::ClientContext context;
  Prepare(session, context, extra);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return tl::unexpected(Refused(std::move(what), status));
  return response;
}

}  // namespace idzone::cli
