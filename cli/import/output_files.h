// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "cli/failure.h"
#include "cli/import/result_line.h"
#include "cli/import/source.h"

namespace idzone::cli {

/// The results of an import, JSON lines, one for each enrolled item:
///   {"line":2,"id":"sensor7","owner_name":"sensor7.1a._device.acme.example.","fingerprint":"9f86…",
///    "version":{"epoch":1,"serial":17},"status":"enrolled"}
/// `version` is null when the import ended before it was known. Lines come in the order of publication.
class ResultsFile : public ImportResultSink {
 public:
  explicit ResultsFile(std::filesystem::path file) : file_(std::move(file)) {}
  /// NOT_FOUND: it cannot be created. Replaces an earlier one.
  Result<void> Open();
  void Write(const ImportResult& result) override;
  /// INTERNAL: not everything could be written.
  Result<void> Close();

 private:
  std::filesystem::path file_;
  std::ofstream stream_;
};

/// The records that failed, in the form of the imported file. Made with the first of them; without any there is none.
class FailedFile {
 public:
  /// `source` must outlive it.
  FailedFile(std::filesystem::path file, const ImportSource& source) : file_(std::move(file)), source_(source) {}
  /// Removes that of an earlier import, whose failures may be mended by now. NOT_FOUND: it cannot be removed.
  Result<void> Clear();
  void Write(const ImportFault& fault);
  /// INTERNAL: not everything could be written.
  Result<void> Close();

 private:
  std::filesystem::path file_;
  const ImportSource& source_;
  std::ofstream stream_;
  bool begun_ = false;
};

tl::expected<void, Failure> CloseOutputs(const std::string& what, ResultsFile& results, FailedFile& failed);

}  // namespace idzone::cli
