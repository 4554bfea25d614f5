// SPDX-License-Identifier: MIT
#include "services/replica/recovery.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

extern char** environ;

namespace idzone::replica {
namespace {

using std::chrono::steady_clock;

/// Ten million nodes from a slow disk.
constexpr std::chrono::minutes kInspectionMax(10);
constexpr int kPollMilliseconds = 100;
/// Some thousand zones with their pins.
constexpr std::size_t kFindingsOctetsMax = 16UL * 1024 * 1024;
constexpr const char* kRebuildFolder = "/rebuild";

// Exit codes of the child.
constexpr int kWhole = 0;
constexpr int kDamaged = 3;
constexpr int kAbsent = 4;
constexpr int kOtherVersion = 5;
constexpr int kCannotSay = 6;  // no permission, no memory, no reader slot: nothing that the file is to blame for

tl::unexpected<Error> Failed(const std::string& directory, const std::string& expected, int code) {
  return Fail(Reason::kUnavailable, "replica " + directory, expected, std::strerror(code));
}

/// A running child and the reading end of its standard output.
struct Child {
  pid_t pid = -1;
  int output = -1;
};

Result<Child> Start(const std::string& program, const std::string& directory) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return Failed(directory, "a pipe", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  // The daemon's threads have signals blocked that shall end the child.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = "idzone-replicad";
  std::string option = "--inspect";
  std::string path = directory;
  const std::array<char*, 4> arguments = {name.data(), option.data(), path.data(), nullptr};
  Child child;
  const int code = posix_spawn(&child.pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe[1]);
  child.output = pipe[0];
  if (code == 0) return child;
  close(pipe[0]);
  return Failed(directory, "a child that inspects it, " + program, code);
}

/// Reads until the child closes its end, is too slow or is not wanted any more. Returns whether it came to an end.
bool ReadAll(const Child& child, const std::stop_token& stop, std::string& text) {
  const auto deadline = steady_clock::now() + kInspectionMax;
  std::array<char, 4096> buffer{};
  while (!stop.stop_requested() && steady_clock::now() < deadline && text.size() < kFindingsOctetsMax) {
    pollfd waited{.fd = child.output, .events = POLLIN, .revents = 0};
    if (poll(&waited, 1, kPollMilliseconds) <= 0) continue;
    const ssize_t count = read(child.output, buffer.data(), buffer.size());
    if (count == 0) return true;
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return false;
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return std::string("an inspection that died of ") + strsignal(WTERMSIG(status));
  return "an inspection that ended with " + std::to_string(WEXITSTATUS(status));
}

/// Makes a rename durable.
Result<void> SyncFolder(const std::string& directory) {
  const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed(directory, "a folder", errno);
  const int code = fsync(folder) == 0 ? 0 : errno;
  close(folder);
  if (code != 0) return Failed(directory, "a folder that can be synced", code);
  return {};
}

}  // namespace

int InspectHere(const std::string& directory) {
  const auto environment = Environment::OpenForReading(directory);
  if (!environment && environment.error().reason != Reason::kEncodingMalformed) {
    std::fputs(FormatVerdict(tl::unexpected(environment.error())).c_str(), stdout);
    switch (environment.error().reason) {
      case Reason::kNotFound: return kAbsent;
      case Reason::kSchemaMismatch: return kOtherVersion;
      default: return kCannotSay;
    }
  }
  ReadTransaction transaction(environment ? *environment : nullptr);
  Result<void> held = environment ? transaction.Renew() : tl::unexpected(environment.error());
  // What can be remembered is out before the walk, which may be the end of this process.
  if (held) std::fputs(FormatRemembered(Remember(transaction)).c_str(), stdout);
  std::fflush(stdout);
  const Result<std::uint64_t> inspected = held ? Inspect(transaction) : tl::unexpected(held.error());
  std::fputs(FormatVerdict(inspected).c_str(), stdout);
  std::fflush(stdout);
  return inspected ? kWhole : kDamaged;
}

Result<Findings> InspectInChild(const std::string& program, const std::string& directory, const std::stop_token& stop) {
  const auto child = Start(program, directory);
  if (!child) return tl::unexpected(child.error());
  std::string text;
  if (!ReadAll(*child, stop, text)) kill(child->pid, SIGKILL);
  close(child->output);
  int status = 0;
  while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (stop.stop_requested()) return Fail(Reason::kCancelled, "replica " + directory, "an inspection", "a stop");
  if (WIFEXITED(status) && WEXITSTATUS(status) == kAbsent) return Fail(Reason::kNotFound, "replica " + directory, "one", "none");
  if (WIFEXITED(status) && WEXITSTATUS(status) == kOtherVersion)
    return Fail(Reason::kSchemaMismatch, "replica " + directory,
                "format version " + std::to_string(kFormatVersion) + " or the one before it", "another");
  Findings findings = ParseFindings(text);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotSay)
    return Fail(Reason::kUnavailable, "replica " + directory, "one that can be opened",
                findings.damage ? findings.damage->met : HowItEnded(status));
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != kWhole && WEXITSTATUS(status) != kDamaged))
    findings.damage = Error{Reason::kEncodingMalformed, "replica " + directory, "one that can be walked", HowItEnded(status)};
  return findings;
}

Result<WritePlace> PrepareRebuild(const std::string& directory) {
  WritePlace place{.directory = directory + kRebuildFolder, .aside = true};
  std::error_code failure;
  std::filesystem::remove_all(place.directory, failure);
  if (!failure) std::filesystem::create_directories(place.directory, failure);
  if (failure) return Fail(Reason::kUnavailable, "replica " + place.directory, "a folder that can be made anew", failure.message());
  return place;
}

Result<void> TakePlace(const std::string& directory) {
  const std::string from = directory + kRebuildFolder;
  // The lock file first: a reader that opens between the two has old data, which nobody writes any more, and notices the
  // new file. The other way round it would announce itself where the writer does not look.
  for (const char* file : {"/lock.mdb", "/data.mdb"}) {
    if (std::rename((from + file).c_str(), (directory + file).c_str()) != 0)
      return Failed(directory, std::string("a file that can be replaced, ") + file, errno);
    if (auto synced = SyncFolder(directory); !synced) return synced;
  }
  std::error_code ignored;
  std::filesystem::remove(from, ignored);
  return {};
}

}  // namespace idzone::replica
