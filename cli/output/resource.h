// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/output/json.h"

/// How values of the protos are spelled in every output.
namespace google::protobuf {
class Timestamp;
}
namespace idzone::v1 {
class Identity;
}  // namespace idzone::v1

namespace idzone::cli {

/// Returns "2026-11-23T21:30:00Z".
std::string FormatTime(const google::protobuf::Timestamp& time);
/// Returns {"epoch": 1, "serial": 7}: versions are compared by epoch first.
Json VersionJson(std::uint32_t epoch, std::uint32_t serial);
/// Returns an identity with what people and programs need of it.
Json IdentityJson(const v1::Identity& identity);

}  // namespace idzone::cli
