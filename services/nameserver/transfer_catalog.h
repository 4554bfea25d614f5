// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "services/core/zone/catalog.h"

namespace idzone::nameserver {

/// The catalog that idzone-replicad keeps beside the replica of a transfer host, read again when it is another file.
/// Threads: any.
class CatalogSource {
 public:
  using Report = std::function<void(const std::string& text)>;

  CatalogSource(std::filesystem::path file, Report report) : file_(std::move(file)), report_(std::move(report)) {}

  /// Returns the catalog, or null while there is none. One that cannot be read is told, and the last one goes on.
  std::shared_ptr<const zone::Catalog> Current();

 private:
  const std::filesystem::path file_;
  const Report report_;
  std::mutex mutex_;
  std::filesystem::file_time_type read_at_{};
  std::shared_ptr<const zone::Catalog> catalog_;
};

}  // namespace idzone::nameserver
