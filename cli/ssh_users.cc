// SPDX-License-Identifier: MIT
#include "cli/ssh_users.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

namespace idzone::cli {
namespace {

constexpr unsigned kOthersWrite = S_IWGRP | S_IWOTH;

/// Closes a file descriptor.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int descriptor) : number(descriptor) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

Result<void> CheckFolders(const std::filesystem::path& file) {
  for (std::filesystem::path folder = file.parent_path();; folder = folder.parent_path()) {
    struct stat status {};
    if (lstat(folder.c_str(), &status) != 0) return Fail(Reason::kNotFound, folder.string(), "a folder", "it cannot be looked at");
    if (const Result<void> alone = CheckRootAlone(folder, status.st_uid, status.st_mode); !alone) return alone;
    if (folder == folder.parent_path()) return {};
  }
}

}  // namespace

Result<void> CheckRootAlone(const std::filesystem::path& path, unsigned owner, unsigned mode) {
  if (owner != 0) return Fail(Reason::kValueMalformed, path.string(), "to belong to root", "user " + std::to_string(owner));
  if ((mode & kOthersWrite) != 0) return Fail(Reason::kValueMalformed, path.string(), "writable by root alone", "by its group or others");
  return {};
}

Result<std::vector<dns::Name>> ParseSshUser(std::string_view text, std::string_view user, std::string_view subject) {
  std::vector<dns::Name> names;
  std::istringstream lines{std::string(text)};
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    // Only the user's own lines count: a mistake in another one locks nobody else out.
    if (!(words >> word) || word != user) continue;
    const std::string place = std::string(subject) + ':' + std::to_string(number);
    while (words >> word) {
      Result<dns::Name> name = dns::Name::Parse(word, place);
      if (!name) return tl::unexpected(name.error());
      if (names.size() == kSshUserNamesMax) return Fail(Reason::kLimitExceeded, place, "at most 8 names a user", "more");
      names.push_back(*std::move(name));
    }
  }
  return names;
}

Result<std::vector<dns::Name>> ReadSshUser(const std::filesystem::path& file, std::string_view user) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(file, error);
  if (error) return Fail(Reason::kNotFound, file.string(), "a file", error.message());
  const Descriptor descriptor(open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (descriptor.number < 0 || fstat(descriptor.number, &status) != 0)
    return Fail(Reason::kNotFound, real.string(), "a readable file", "it cannot be opened");
  if (!S_ISREG(status.st_mode)) return Fail(Reason::kNotFound, real.string(), "a file", "no regular file");
  if (const Result<void> alone = CheckRootAlone(real, status.st_uid, status.st_mode); !alone) return tl::unexpected(alone.error());
  if (const Result<void> folders = CheckFolders(real); !folders) return tl::unexpected(folders.error());
  std::string text(kSshUsersFileOctetsMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(descriptor.number, text.data() + size, text.size() - size);
    if (got < 0) return Fail(Reason::kNotFound, real.string(), "a readable file", "a read error");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kSshUsersFileOctetsMax) return Fail(Reason::kLimitExceeded, real.string(), "at most 256 KiB", "more");
  text.resize(size);
  return ParseSshUser(text, user, real.string());
}

}  // namespace idzone::cli
