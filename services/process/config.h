// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "services/core/base/error.h"

/// A daemon's configuration: a TOML file of `[section] key = value`, each key overridable from the environment as
/// `IDZONE_<PROGRAM>_<SECTION>_<KEY>`. Every key is declared with its type, bounds and a line of documentation;
/// whatever was not declared is refused, because a misspelt key would otherwise be a silent default.
/// Errors: every function returns the first one, whose subject names the file and line, or the variable.
/// Threads: a loaded Config never changes.
namespace idzone::process {

using ConfigValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

/// One declared key. Made by the functions below.
struct ConfigKey {
  std::string name;           // "section.key"
  ConfigValue value;          // the default; its alternative is the key's type
  bool required = false;      // then `value` only tells the type
  std::int64_t smallest = 0;  // integers
  std::int64_t largest = 0;
  std::string doc;  // one line
};

ConfigKey RequiredText(std::string name, std::string doc);
ConfigKey OptionalText(std::string name, std::string fallback, std::string doc);
/// Requires: smallest <= fallback <= largest.
ConfigKey OptionalInteger(std::string name, std::int64_t fallback, std::int64_t smallest, std::int64_t largest, std::string doc);
ConfigKey OptionalBoolean(std::string name, bool fallback, std::string doc);
/// In the environment, a list is separated by commas.
ConfigKey OptionalTextList(std::string name, std::vector<std::string> fallback, std::string doc);

class Config {
 public:
  /// Reads the file, then the environment. `environment_prefix` is for example "IDZONE_SIGNERD_"; every variable that
  /// begins with it must name a declared key.
  /// NOT_FOUND (no such file), VALUE_MALFORMED (not TOML, wrong type), UNKNOWN_FIELD (with the list of known keys),
  /// VALUE_OUT_OF_RANGE, VALUE_MISSING.
  static Result<Config> Load(const std::filesystem::path& file, const std::vector<ConfigKey>& keys, std::string_view environment_prefix);

  /// Return the value. Requires: the key was declared, with that type.
  const std::string& Text(std::string_view name) const;
  std::int64_t Integer(std::string_view name) const;
  bool Boolean(std::string_view name) const;
  const std::vector<std::string>& TextList(std::string_view name) const;

 private:
  const ConfigValue& Find(std::string_view name) const;

  std::map<std::string, ConfigValue, std::less<>> values_;
};

/// Returns what `--help-config` prints: a commented configuration file with every key, its default and its variable.
std::string DescribeConfig(const std::vector<ConfigKey>& keys, std::string_view environment_prefix);

/// Returns the variable that overrides a key: "IDZONE_SIGNERD_" and "database.url" give "IDZONE_SIGNERD_DATABASE_URL".
std::string EnvironmentVariable(std::string_view environment_prefix, std::string_view key_name);

}  // namespace idzone::process
