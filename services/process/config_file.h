// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "services/process/config.h"

namespace idzone::process {

/// A value as it stands in the file, with the place for messages: "signerd.toml:7".
struct FileEntry {
  std::string name;  // "section.key"
  ConfigValue value;
  std::string place;
};

/// Reads a TOML file of sections with plain keys: strings, integers, booleans, arrays of strings. The only place that
/// knows the TOML library, which throws and is slow to compile.
/// NOT_FOUND, VALUE_MALFORMED.
Result<std::vector<FileEntry>> ReadConfigFile(const std::filesystem::path& file);

}  // namespace idzone::process
