// SPDX-License-Identifier: MIT
#include "services/replica/damage_note.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace idzone::replica {
namespace {

/// Far more notes than the writer needs to see one.
constexpr off_t kNotesMax = 4096;
constexpr mode_t kFileMode = 0660;

std::string NoteFile(const std::string& directory) {
  return directory + "/damage";
}

}  // namespace

void NoteDamage(const std::string& directory) {
  const int file = open(NoteFile(directory).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return;
  struct stat status = {};
  if (fstat(file, &status) == 0 && status.st_size < kNotesMax) [[maybe_unused]]
    const ssize_t written = write(file, "!", 1);
  close(file);
}

void PrepareDamageNotes(const std::string& directory) {
  const int file = open(NoteFile(directory).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (file < 0) return;
  // Whatever the umask says.
  fchmod(file, kFileMode);
  close(file);
}

std::uint64_t CountDamageNotes(const std::string& directory) {
  struct stat status = {};
  return stat(NoteFile(directory).c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace idzone::replica
