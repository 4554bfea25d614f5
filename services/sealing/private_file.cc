// SPDX-License-Identifier: MIT
#include "services/sealing/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace idzone::sealing {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

tl::unexpected<Error> Invalid(const std::filesystem::path& path, std::string expected, std::string met) {
  return Fail(Reason::kKeyFileInvalid, path.string(), std::move(expected), std::move(met));
}

std::string ModeText(mode_t mode) {
  char text[8] = {};
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

/// Whether systemd put the file there, into a directory that nobody else may enter (systemd.exec(5), LoadCredential=).
bool IsCredential(const std::filesystem::path& path) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  return directory != nullptr && *directory != '\0' && path.parent_path() == std::filesystem::path(directory);
}

/// Owner and mode, asked of the open descriptor so that nobody can swap the file in between.
Result<void> CheckPrivate(const std::filesystem::path& path, const struct stat& status, mode_t forbidden, std::string_view modes) {
  if (status.st_uid != geteuid() && status.st_uid != 0)
    return Invalid(path, "to belong to this process's user or root", "user id " + std::to_string(status.st_uid));
  if ((status.st_mode & forbidden) != 0) return Invalid(path, "mode " + std::string(modes), "mode " + ModeText(status.st_mode));
  return {};
}

bool WriteAll(int descriptor, OctetsView octets) {
  while (!octets.empty()) {
    const ssize_t written = write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<Secret> ReadPrivateFile(const std::filesystem::path& path, std::size_t size_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.ok()) return Invalid(path, "a file that can be opened", std::strerror(errno));
  struct stat status {};
  if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return Invalid(path, "a regular file", "something else");
  const auto checked =
      IsCredential(path) ? CheckPrivate(path, status, 0337, "0440 or 0400") : CheckPrivate(path, status, 0177, "0600 or 0400");
  if (!checked) return tl::unexpected(checked.error());
  if (status.st_size <= 0 || static_cast<std::size_t>(status.st_size) > size_max)
    return Invalid(path, "1 to " + std::to_string(size_max) + " octets", std::to_string(status.st_size));
  Secret content(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = read(file.number(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Invalid(path, "to be read whole", "the end of the file or an error");
    done += static_cast<std::size_t>(count);
  }
  return content;
}

Result<void> WritePrivateFile(const std::filesystem::path& path, OctetsView octets) {
  const std::filesystem::path temporary = path.string() + ".new-" + std::to_string(getpid());
  {
    const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.ok()) return Invalid(temporary, "a file that can be made", std::strerror(errno));
    if (!WriteAll(file.number(), octets) || fsync(file.number()) != 0) {
      auto failed = Invalid(temporary, "to be written and synced", std::strerror(errno));
      unlink(temporary.c_str());
      return failed;
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    auto failed = Invalid(path, "to be renamed into place", std::strerror(errno));
    unlink(temporary.c_str());
    return failed;
  }
  const Descriptor directory(open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok() || fsync(directory.number()) != 0) return Invalid(path.parent_path(), "to be synced", std::strerror(errno));
  return {};
}

Result<void> CheckPrivateDirectory(const std::filesystem::path& path) {
  const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) return Invalid(path, "a directory that can be opened", std::strerror(errno));
  struct stat status {};
  if (fstat(directory.number(), &status) != 0) return Invalid(path, "a directory", std::strerror(errno));
  return CheckPrivate(path, status, 0077, "0700");
}

}  // namespace idzone::sealing
