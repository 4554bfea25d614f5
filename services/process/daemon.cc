// SPDX-License-Identifier: MIT
#include "services/process/daemon.h"

#include <cctype>
#include <cstdio>
#include <optional>
#include <string_view>

#include "services/process/log.h"

#ifndef IDZONE_VERSION
#error "the build defines IDZONE_VERSION"
#endif

namespace idzone::process {
namespace {

/// "idzone-signerd" gives "IDZONE_SIGNERD_".
std::string EnvironmentPrefix(std::string_view program) {
  std::string prefix;
  for (const char character : program) {
    prefix += character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  }
  return prefix + '_';
}

void PrintUsage(std::FILE* out, const std::string& program) {
  std::fprintf(out,
               "usage: %s --config FILE\n"
               "       %s --help-config   every configuration key, with its default\n"
               "       %s --version\n",
               program.c_str(), program.c_str(), program.c_str());
}

/// Either the exit code of a command line that is answered at once, or the configuration file.
struct CommandLine {
  std::optional<int> exit_code;
  std::string config_file;
};

CommandLine ReadCommandLine(int argc, char** argv, const std::string& program, const std::vector<ConfigKey>& keys) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (argc == 2 && first == "--version") {
    std::printf("%s %s\n", program.c_str(), IDZONE_VERSION);
    return {0, ""};
  }
  if (argc == 2 && first == "--help-config") {
    std::fputs(DescribeConfig(keys, EnvironmentPrefix(program)).c_str(), stdout);
    return {0, ""};
  }
  if (argc == 2 && first == "--help") {
    PrintUsage(stdout, program);
    return {0, ""};
  }
  if (argc == 3 && first == "--config") return {std::nullopt, argv[2]};
  if (argc == 2 && first.starts_with("--config=")) return {std::nullopt, std::string(first.substr(9))};
  PrintUsage(stderr, program);
  return {kExitBadConfiguration, ""};
}

bool BlamesConfiguration(Reason reason) {
  switch (reason) {
    case Reason::kValueMalformed:
    case Reason::kValueMissing:
    case Reason::kValueOutOfRange:
    case Reason::kEnumUnknown:
    case Reason::kUnknownField:
    case Reason::kNotFound:
    case Reason::kKeyFileInvalid: return true;
    default: return false;
  }
}

int Refuse(const Error& error) {
  LogError(LogLevel::kError, "process.configuration_refused", error);
  return kExitBadConfiguration;
}

}  // namespace

int RunDaemon(int argc, char** argv, const DaemonSpec& spec) {
  std::vector<ConfigKey> keys = spec.keys;
  keys.push_back(OptionalText("observe.address", "", "host:port of /livez, /readyz and /metrics; empty: off"));
  keys.push_back(OptionalText("log.level", "info", "debug, info, warning or error"));
  const CommandLine command_line = ReadCommandLine(argc, argv, spec.program, keys);
  if (command_line.exit_code) return *command_line.exit_code;

  const auto config = Config::Load(command_line.config_file, keys, EnvironmentPrefix(spec.program));
  if (!config) return Refuse(config.error());
  if (auto set = SetLogThreshold(config->Text("log.level")); !set) return Refuse(set.error());

  SignalWatch signals;
  auto observatory = Observatory::Start(config->Text("observe.address"));
  if (!observatory) return Refuse(observatory.error());
  Log(LogLevel::kInfo, "process.started",
      {{"program", spec.program}, {"version", IDZONE_VERSION}, {"observe_port", (*observatory)->port()}});

  DaemonContext context{*config, signals.token(), **observatory};
  const Result<void> ran = spec.run(context);
  if (!ran) {
    LogError(LogLevel::kError, "process.failed", ran.error(), {{"program", spec.program}});
    return BlamesConfiguration(ran.error().reason) ? kExitBadConfiguration : kExitFailed;
  }
  Log(LogLevel::kInfo, "process.drained", {{"program", spec.program}});
  return 0;
}

}  // namespace idzone::process
