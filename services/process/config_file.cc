// SPDX-License-Identifier: MIT
#include "services/process/config_file.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include <toml.hpp>

namespace idzone::process {
namespace {

/// Returns the value if it has one of the four types that keys may have.
std::optional<ConfigValue> PlainValue(const toml::value& value) {
  if (value.is_string()) return ConfigValue(value.as_string().str);
  if (value.is_integer()) return ConfigValue(value.as_integer());
  if (value.is_boolean()) return ConfigValue(value.as_boolean());
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::value& element : value.as_array()) {
    if (!element.is_string()) return std::nullopt;
    texts.push_back(element.as_string().str);
  }
  return ConfigValue(std::move(texts));
}

/// toml11 explains itself in a drawing of several lines; the log wants one.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, 300);
}

Result<std::vector<FileEntry>> Flatten(const toml::value& root, const std::string& file_name) {
  std::vector<FileEntry> entries;
  for (const auto& [section, table] : root.as_table()) {
    if (!table.is_table()) {
      return Fail(Reason::kUnknownField, file_name + ":" + std::to_string(table.location().line()), "a key inside a [section]",
                  "\"" + section + "\" outside of one");
    }
    for (const auto& [key, value] : table.as_table()) {
      const std::string place = file_name + ":" + std::to_string(value.location().line());
      std::optional<ConfigValue> plain = PlainValue(value);
      if (!plain) {
        return Fail(Reason::kValueMalformed, place, "a string, an integer, true, false or a list of strings for " + section + "." + key,
                    "something else");
      }
      entries.push_back({section + "." + key, std::move(*plain), place});
    }
  }
  return entries;
}

}  // namespace

Result<std::vector<FileEntry>> ReadConfigFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(Reason::kNotFound, file.string(), "a readable configuration file", "none");
  try {
    return Flatten(toml::parse(stream, file.filename().string()), file.filename().string());
  } catch (const std::exception& thrown) {
    return Fail(Reason::kValueMalformed, file.string(), "TOML", OneLine(thrown.what()));
  }
}

}  // namespace idzone::process
