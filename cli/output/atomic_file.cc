// SPDX-License-Identifier: MIT
#include "cli/output/atomic_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace idzone::cli {

AtomicFile::~AtomicFile() {
  if (!stream_.is_open()) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

Result<void> AtomicFile::Open() {
  stream_.open(partial_, std::ios::binary | std::ios::trunc);
  if (!stream_) return Fail(Reason::kNotFound, partial_.string(), "a file that can be created", std::strerror(errno));
  return {};
}

Result<void> AtomicFile::Commit() {
  stream_.close();
  const auto failed = [this] {
    const int code = errno;
    std::error_code ignored;
    std::filesystem::remove(partial_, ignored);
    return Fail(Reason::kInternal, file_.string(), "to be written whole", std::strerror(code));
  };
  if (!stream_) return failed();
  const int descriptor = open(partial_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed();
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  if (!synced || std::rename(partial_.c_str(), file_.c_str()) != 0) return failed();
  return {};
}

}  // namespace idzone::cli
