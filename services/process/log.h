// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "services/core/base/error.h"

/// Structured logs on stderr, one line a message:
///   2026-11-23T21:30:00.123Z info signer.version_published zone=_device.acme.example. serial=7
/// The event id is `area.fact` and stable; values that hold anything but plain printable characters are quoted and
/// escaped, so that no value can forge a line or a field. Secrets and key material are never logged.
/// Threads: any.
namespace idzone::process {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view field, std::string text) : key(field), value(std::move(text)) {}
  LogField(std::string_view field, std::string_view text) : key(field), value(text) {}
  LogField(std::string_view field, const char* text) : key(field), value(text) {}
  LogField(std::string_view field, bool truth) : key(field), value(truth ? "true" : "false") {}
  template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>) LogField(std::string_view field, Number number)
      : key(field), value(std::to_string(number)) {}
};

/// Writes one line if the level is at or above the threshold.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
/// The same with `reason`, `subject`, `expected` and `met` of an error after the fields.
void LogError(LogLevel level, std::string_view event, const Error& error, std::initializer_list<LogField> fields = {});

/// Sets the threshold: "debug", "info" (at start), "warning" or "error". ENUM_UNKNOWN otherwise.
Result<void> SetLogThreshold(std::string_view level);

/// Returns `event key=value …` as Log writes it, without time and level.
std::string FormatLogLine(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace idzone::process
