// SPDX-License-Identifier: MIT
#include "services/process/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <unistd.h>

#include "services/process/config_file.h"

namespace idzone::process {
namespace {

struct TypeName {
  std::string operator()(const std::string&) const { return "a string"; }
  std::string operator()(std::int64_t) const { return "an integer"; }
  std::string operator()(bool) const { return "true or false"; }
  std::string operator()(const std::vector<std::string>&) const { return "a list of strings"; }
};

struct TomlText {
  std::string operator()(const std::string& text) const { return '"' + text + '"'; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  std::string operator()(const std::vector<std::string>& texts) const {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "\"" : ", \"") + text + '"';
    return '[' + list + ']';
  }
};

const ConfigKey* FindKey(const std::vector<ConfigKey>& keys, std::string_view name) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string KnownKeys(const std::vector<ConfigKey>& keys) {
  std::string names;
  for (const ConfigKey& key : keys) names += (names.empty() ? "" : ", ") + key.name;
  return "one of " + names;
}

/// Checks a value against its declaration. `place` is where it stands: a line of the file, or a variable.
Result<void> CheckValue(const ConfigKey& key, const ConfigValue& value, const std::string& place) {
  if (value.index() != key.value.index()) {
    return Fail(Reason::kValueMalformed, place, std::visit(TypeName(), key.value) + " for " + key.name, std::visit(TypeName(), value));
  }
  if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && (*number < key.smallest || *number > key.largest)) {
    return Fail(Reason::kValueOutOfRange, place, key.name + " from " + std::to_string(key.smallest) + " to " + std::to_string(key.largest),
                std::to_string(*number));
  }
  return {};
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

/// Reads a variable's text as the type of its key.
Result<ConfigValue> ParseText(const ConfigKey& key, std::string_view text, const std::string& place) {
  if (std::holds_alternative<std::string>(key.value)) return ConfigValue(std::string(text));
  if (std::holds_alternative<std::vector<std::string>>(key.value)) return ConfigValue(SplitAtCommas(text));
  if (std::holds_alternative<bool>(key.value) && (text == "true" || text == "false")) return ConfigValue(text == "true");
  if (std::holds_alternative<std::int64_t>(key.value)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return ConfigValue(number);
  }
  return Fail(Reason::kValueMalformed, place, std::visit(TypeName(), key.value), "\"" + std::string(text.substr(0, 80)) + "\"");
}

using Values = std::map<std::string, ConfigValue, std::less<>>;

Result<void> TakeFile(const std::filesystem::path& file, const std::vector<ConfigKey>& keys, Values& values) {
  auto entries = ReadConfigFile(file);
  if (!entries) return tl::unexpected(entries.error());
  for (FileEntry& entry : *entries) {
    const ConfigKey* key = FindKey(keys, entry.name);
    if (key == nullptr) return Fail(Reason::kUnknownField, entry.place, KnownKeys(keys), entry.name);
    if (auto checked = CheckValue(*key, entry.value, entry.place); !checked) return checked;
    values[entry.name] = std::move(entry.value);
  }
  return {};
}

Result<void> TakeEnvironment(std::string_view prefix, const std::vector<ConfigKey>& keys, Values& values) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view assignment(*entry);
    if (!assignment.starts_with(prefix)) continue;
    const std::size_t equals = std::min(assignment.find('='), assignment.size());
    const std::string variable(assignment.substr(0, equals));
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& declared) { return EnvironmentVariable(prefix, declared.name) == variable; });
    if (key == keys.end()) return Fail(Reason::kUnknownField, variable, "the variable of " + KnownKeys(keys), "another");
    auto value = ParseText(*key, assignment.substr(std::min(equals + 1, assignment.size())), variable);
    if (!value) return tl::unexpected(value.error());
    if (auto checked = CheckValue(*key, *value, variable); !checked) return checked;
    values[key->name] = std::move(*value);
  }
  return {};
}

}  // namespace

ConfigKey RequiredText(std::string name, std::string doc) {
  return {std::move(name), std::string(), true, 0, 0, std::move(doc)};
}

ConfigKey OptionalText(std::string name, std::string fallback, std::string doc) {
  return {std::move(name), std::move(fallback), false, 0, 0, std::move(doc)};
}

ConfigKey OptionalInteger(std::string name, std::int64_t fallback, std::int64_t smallest, std::int64_t largest, std::string doc) {
  IDZONE_INVARIANT(smallest <= fallback && fallback <= largest, "a default lies within its bounds");
  return {std::move(name), fallback, false, smallest, largest, std::move(doc)};
}

ConfigKey OptionalBoolean(std::string name, bool fallback, std::string doc) {
  return {std::move(name), fallback, false, 0, 0, std::move(doc)};
}

ConfigKey OptionalTextList(std::string name, std::vector<std::string> fallback, std::string doc) {
  return {std::move(name), std::move(fallback), false, 0, 0, std::move(doc)};
}

Result<Config> Config::Load(const std::filesystem::path& file, const std::vector<ConfigKey>& keys, std::string_view environment_prefix) {
  Config config;
  if (auto taken = TakeFile(file, keys, config.values_); !taken) return tl::unexpected(taken.error());
  if (auto taken = TakeEnvironment(environment_prefix, keys, config.values_); !taken) return tl::unexpected(taken.error());
  for (const ConfigKey& key : keys) {
    if (config.values_.contains(key.name)) continue;
    if (key.required) {
      return Fail(Reason::kValueMissing, file.string(), key.name + " (" + key.doc + ")",
                  "neither in the file nor as " + EnvironmentVariable(environment_prefix, key.name));
    }
    config.values_[key.name] = key.value;
  }
  return config;
}

const ConfigValue& Config::Find(std::string_view name) const {
  const auto found = values_.find(name);
  IDZONE_INVARIANT(found != values_.end(), "every configuration key that is read was declared");
  return found->second;
}

const std::string& Config::Text(std::string_view name) const {
  return std::get<std::string>(Find(name));
}
std::int64_t Config::Integer(std::string_view name) const {
  return std::get<std::int64_t>(Find(name));
}
bool Config::Boolean(std::string_view name) const {
  return std::get<bool>(Find(name));
}
const std::vector<std::string>& Config::TextList(std::string_view name) const {
  return std::get<std::vector<std::string>>(Find(name));
}

std::string DescribeConfig(const std::vector<ConfigKey>& keys, std::string_view environment_prefix) {
  std::string text;
  std::string section;
  for (const ConfigKey& key : keys) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    text += "# " + key.doc + "\n# " + EnvironmentVariable(environment_prefix, key.name);
    if (std::holds_alternative<std::int64_t>(key.value)) {
      text += "; from " + std::to_string(key.smallest) + " to " + std::to_string(key.largest);
    }
    text += key.required ? "; required\n" : "\n";
    text += key.name.substr(dot + 1) + " = " + std::visit(TomlText(), key.value) + "\n";
  }
  return text;
}

std::string EnvironmentVariable(std::string_view environment_prefix, std::string_view key_name) {
  std::string variable(environment_prefix);
  for (const char character : key_name) {
    variable += character == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  }
  return variable;
}

}  // namespace idzone::process
