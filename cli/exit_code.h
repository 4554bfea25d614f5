// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "services/core/base/error.h"

namespace idzone::cli {

/// What scripts branch on. The numbers are part of the interface.
enum class ExitCode : int {
  kOk = 0,
  kOther = 1,        // a fault of the server or of this program; an interrupted import
  kUsage = 2,        // the command line or a local file is wrong; nothing was sent
  kRefused = 3,      // the server refused: bad input or wrong state
  kNotAllowed = 4,   // not authenticated, or not allowed
  kUnreachable = 5,  // no server, or no answer in time
  kPartial = 6,      // some items were refused, the others are done
  kNotVerified = 7,  // verify: anything but a match; check-delegation: the parent says something else
  kUnwell = 8,       // zone status: something is wrong
};

/// Returns the exit code of a refusal that came from a server.
ExitCode ExitCodeOf(Reason reason);

/// Returns one sentence on what to do about it; empty when the error itself says it all.
std::string_view Advice(Reason reason);

}  // namespace idzone::cli
