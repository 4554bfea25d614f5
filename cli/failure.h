// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>

#include <tl/expected.hpp>

#include "cli/exit_code.h"
#include "cli/output/writer.h"

namespace grpc {
class Status;
}

namespace idzone::cli {

/// Why a command did not do what was asked.
struct Failure {
  std::string what;  // what was tried: "enroll sensor7 in _device.acme.example."
  Error error;
  ExitCode exit_code = ExitCode::kOther;
};

/// What a command returns: its exit code, or why it failed.
using Outcome = tl::expected<ExitCode, Failure>;

/// The server refused, or could not be asked. Requires: `status` is not OK.
Failure Refused(std::string what, const grpc::Status& status);
/// Something on this side is wrong: an option's value, a local file.
Failure Misused(std::string what, Error error);

/// Writes it for people (what, why, what to do) or, for the machine formats, as one JSON object.
void WriteFailure(std::ostream& err, OutputFormat format, const Failure& failure);

}  // namespace idzone::cli
