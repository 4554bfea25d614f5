// SPDX-License-Identifier: MIT
#pragma once

#include <grpcpp/support/status.h>

#include "services/core/base/error.h"

namespace idzone::v1 {
class ErrorDetail;
class ItemError;
}  // namespace idzone::v1

/// The one place where a Reason becomes a gRPC status, and a status an Error again.
namespace idzone::rpc {

/// Returns the canonical code of a reason (README "Errors").
grpc::StatusCode StatusCodeOf(Reason reason);

/// Returns the status of a refused call; its details hold one idzone.v1.ErrorDetail.
grpc::Status ToStatus(const Error& error);
/// Writes the same as the answer to one item of a stream.
void ToItemError(const Error& error, v1::ItemError* item);

/// Clients: read the error back. A status without our detail (gRPC's own: no connection, a message too long) becomes
/// the reason that comes nearest to its code. Requires: not OK.
Error ErrorFromStatus(const grpc::Status& status);
Error ErrorFromItem(const v1::ItemError& item);

}  // namespace idzone::rpc
