// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>

#include "services/core/zone/catalog.h"

namespace idzone::transfer {

/// The catalog as it lies in the replica's directory, for the name server to read: written here alone, whole or not at all.
/// Threads: one.
class CatalogFile {
 public:
  /// Reads what is there and raises its serial, since an operator may have let a zone go; or begins a new one.
  /// What ParseCatalog says; KEY_FILE_INVALID when it cannot be read or written.
  static Result<CatalogFile> Open(std::filesystem::path file, const dns::Name& name, UnixTime now);

  /// Adds zones that are new, with a new serial, and writes the file. Returns whether there were any.
  Result<bool> Add(const std::vector<dns::Name>& zones, UnixTime now);

  const zone::Catalog& catalog() const { return catalog_; }

 private:
  CatalogFile(std::filesystem::path file, zone::Catalog catalog) : file_(std::move(file)), catalog_(std::move(catalog)) {}
  Result<void> Write(zone::Catalog catalog);

  std::filesystem::path file_;
  zone::Catalog catalog_;
};

}  // namespace idzone::transfer
