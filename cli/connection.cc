// SPDX-License-Identifier: MIT
#include "cli/connection.h"

#include <cstdlib>
#include <exception>

#include <toml.hpp>

namespace idzone::cli {
namespace {

struct Setting {
  const char* key;
  const char* option;
  const char* variable;
  std::string ConnectionOptions::*value;
  bool is_file;
};

constexpr Setting kSettings[] = {
    {"server", "--server", "IDZONE_SERVER", &ConnectionOptions::server, false},
    {"tls_certificate", "--tls-certificate", "IDZONE_TLS_CERTIFICATE", &ConnectionOptions::tls_certificate, true},
    {"tls_key", "--tls-key", "IDZONE_TLS_KEY", &ConnectionOptions::tls_key, true},
    {"tls_ca", "--tls-ca", "IDZONE_TLS_CA", &ConnectionOptions::tls_ca, true},
};

const Setting* FindSetting(const std::string& key) {
  for (const Setting& setting : kSettings) {
    if (key == setting.key) return &setting;
  }
  return nullptr;
}

Result<ConnectionOptions> ReadFile(const std::filesystem::path& file) {
  ConnectionOptions options;
  std::error_code missing;
  if (file.empty() || !std::filesystem::exists(file, missing)) return options;
  try {
    const toml::value document = toml::parse(file.string());
    for (const auto& [key, value] : document.as_table()) {
      const Setting* setting = FindSetting(key);
      if (setting == nullptr) return Fail(Reason::kUnknownField, file.string(), "server, tls_certificate, tls_key, tls_ca", key);
      if (!value.is_string()) return Fail(Reason::kValueMalformed, file.string() + " " + key, "a string", "another type");
      std::string text = value.as_string();
      if (setting->is_file && !text.empty()) text = (file.parent_path() / text).string();
      options.*(setting->value) = std::move(text);
    }
  } catch (const std::exception& exception) {
    // The library's message has many lines with a drawing; the first says what is wrong.
    const std::string message = exception.what();
    return Fail(Reason::kValueMalformed, file.string(), "TOML", message.substr(0, message.find('\n')));
  }
  return options;
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::filesystem::path ConnectionFile(const Environment& environment) {
  if (const auto folder = environment("XDG_CONFIG_HOME"); folder && !folder->empty())
    return std::filesystem::path(*folder) / "idzone/cli.toml";
  if (const auto home = environment("HOME"); home && !home->empty()) return std::filesystem::path(*home) / ".config/idzone/cli.toml";
  return {};
}

Result<ConnectionOptions> CompleteConnection(ConnectionOptions options, const Environment& environment, const std::filesystem::path& file) {
  const Result<ConnectionOptions> from_file = ReadFile(file);
  if (!from_file) return from_file;
  for (const Setting& setting : kSettings) {
    std::string& value = options.*(setting.value);
    if (value.empty()) value = environment(setting.variable).value_or("");
    if (value.empty()) value = (*from_file).*(setting.value);
    if (value.empty())
      return Fail(Reason::kValueMissing, setting.option,
                  std::string("the option, ") + setting.variable + ", or " + setting.key + " in " + file.string(), "none of them");
  }
  return options;
}

}  // namespace idzone::cli
