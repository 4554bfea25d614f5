// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/error.h"

namespace google::protobuf {
class Message;
}

namespace idzone::rpc {

/// Refuses what protobuf would silently keep: fields that the server does not know (UNKNOWN_FIELD with their number)
/// and enum numbers without a name (ENUM_UNKNOWN), anywhere in the message. A caller who sends them means something
/// that would not happen.
Result<void> CheckKnown(const google::protobuf::Message& message);

}  // namespace idzone::rpc
