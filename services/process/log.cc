// SPDX-License-Identifier: MIT
#include "services/process/log.h"

#include <algorithm>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "services/core/base/octets.h"

namespace idzone::process {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Made on first use and never destroyed: threads may still log while the process ends.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("idzone", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

bool IsPlain(unsigned char octet) {
  return octet > ' ' && octet < 0x7f && octet != '"' && octet != '\\' && octet != '=';
}

void AppendValue(std::string& line, std::string_view value) {
  if (!value.empty() && std::all_of(value.begin(), value.end(), [](char octet) { return IsPlain(static_cast<unsigned char>(octet)); })) {
    line += value;
    return;
  }
  line += '"';
  for (const char octet : value) {
    if (octet == '"' || octet == '\\') {
      line += '\\';
      line += octet;
    } else if (octet == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(octet) < ' ' || static_cast<unsigned char>(octet) >= 0x7f) {
      line += "\\x" + HexEncode(std::string_view(&octet, 1));
    } else {
      line += octet;
    }
  }
  line += '"';
}

void AppendFields(std::string& line, std::initializer_list<LogField> fields) {
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendValue(line, field.value);
  }
}

}  // namespace

std::string FormatLogLine(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  AppendFields(line, fields);
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  Logger().log(ToSpdlog(level), spdlog::string_view_t(FormatLogLine(event, fields)));
}

void LogError(LogLevel level, std::string_view event, const Error& error, std::initializer_list<LogField> fields) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  std::string line = FormatLogLine(event, fields);
  AppendFields(line, {{"reason", ReasonName(error.reason)}, {"subject", error.subject}, {"expected", error.expected}, {"met", error.met}});
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line));
}

Result<void> SetLogThreshold(std::string_view level) {
  for (const LogLevel known : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    const auto name = spdlog::level::to_string_view(ToSpdlog(known));
    if (level == std::string_view(name.data(), name.size())) {
      Logger().set_level(ToSpdlog(known));
      return {};
    }
  }
  return Fail(Reason::kEnumUnknown, "log.level", "debug, info, warning or error", std::string(level));
}

}  // namespace idzone::process
