// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "services/core/base/error.h"

namespace idzone::cli {

/// How to reach the server: each value from the option, else from the environment, else from the file.
struct ConnectionOptions {
  std::string server;           // --server           IDZONE_SERVER
  std::string tls_certificate;  // --tls-certificate  IDZONE_TLS_CERTIFICATE
  std::string tls_key;          // --tls-key          IDZONE_TLS_KEY
  std::string tls_ca;           // --tls-ca           IDZONE_TLS_CA
};

/// Reads a variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
/// The process's own.
std::optional<std::string> ProcessEnvironment(const char* name);

/// Returns `$XDG_CONFIG_HOME/idzone/cli.toml` or `~/.config/idzone/cli.toml`; empty when neither is known.
std::filesystem::path ConnectionFile(const Environment& environment);

/// Fills what `options` leaves empty from the environment and then from `file`, a TOML file of the four names; file names
/// in it that are not absolute are relative to its folder. A missing file is no error.
/// VALUE_MALFORMED, UNKNOWN_FIELD (with the known ones), VALUE_MISSING (naming option, variable and file).
Result<ConnectionOptions> CompleteConnection(ConnectionOptions options, const Environment& environment, const std::filesystem::path& file);

}  // namespace idzone::cli
