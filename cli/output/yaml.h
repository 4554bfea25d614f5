// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "cli/output/json.h"

namespace idzone::cli {

/// Writes a JSON value as YAML 1.2 in block style. Strings are plain only where no YAML reader, old or new, can take
/// them for anything else; otherwise they are double-quoted as in JSON, which YAML contains.
void WriteYaml(std::ostream& out, const Json& value);

}  // namespace idzone::cli
