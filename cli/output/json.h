// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace idzone::cli {

/// Every output is one of these first: table, JSON, YAML and JSON lines are only its spellings. Keys keep their order.
using Json = nlohmann::ordered_json;

}  // namespace idzone::cli
