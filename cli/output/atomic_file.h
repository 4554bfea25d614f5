// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>

#include "services/core/base/error.h"

namespace idzone::cli {

/// A file that appears complete or not at all: written beside its place, synced, and renamed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path file) : file_(std::move(file)), partial_(file_.string() + ".partial") {}
  /// Removes what was not committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// NOT_FOUND: it cannot be created.
  Result<void> Open();
  std::ostream& stream() { return stream_; }
  /// INTERNAL: it could not be written whole.
  Result<void> Commit();

 private:
  std::filesystem::path file_;
  std::filesystem::path partial_;
  std::ofstream stream_;
};

}  // namespace idzone::cli
