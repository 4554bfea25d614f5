// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "services/process/daemon.h"

/// idzone-provisiond: the registry's gRPC edge.
namespace idzone::provisioning {

/// The configuration keys, besides those that every daemon has.
std::vector<process::ConfigKey> ConfigKeys();

/// Serves until a stop is requested, then drains: accepts nothing more, commits and acknowledges what is queued.
Result<void> Run(process::DaemonContext& context);

}  // namespace idzone::provisioning
