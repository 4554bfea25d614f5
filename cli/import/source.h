// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "cli/material.h"

/// Import files. Two forms, both read record by record:
///   CSV, with a header line; columns in any order:
///     id,certificate_file
///     sensor7,certificates/sensor7.pem
///   JSON lines, one object a line:
///     {"id": "sensor7", "certificate": "-----BEGIN CERTIFICATE-----\n…"}
/// Each record has an `id` and exactly one of `certificate`, `csr`, `public_key` (PEM text, or base64 of DER), `ssh_public_key`
/// (an OpenSSH line), `openpgp_key` (armored text, or base64 of it), or of the same names with `_file` behind them (a path; a
/// relative one starts at the import file's folder).
/// `error_line`, `error_reason`, `error_detail` and `error_text`, which the file of failed records has, are ignored; other
/// columns and keys too, but they are carried over into that file.
namespace idzone::cli {

/// A record that may be sent.
struct ImportItem {
  std::uint64_t line = 0;
  std::string id;  // as the file has it
  Material material;
  std::string original;  // the record in the file's own form, for the file of failed records
};

/// A record that failed, here or at the server.
struct ImportFault {
  std::uint64_t line = 0;
  std::string id;  // empty when it could not be read
  Error error;
  std::string original;  // empty when the record could not be parsed; then `text` is what stood there
  std::string text;
};

using ImportRecord = std::variant<ImportItem, ImportFault>;

class ImportSource {
 public:
  virtual ~ImportSource() = default;
  /// Returns nothing at the end. A broken record is an ImportFault and reading goes on.
  virtual std::optional<ImportRecord> Next() = 0;
  /// Whether reading ended by a failure of the file rather than by its end.
  virtual bool failed() const = 0;
  /// May be called from any thread.
  virtual std::uint64_t octets_read() const = 0;

  /// Returns the first line of a file of failed records; empty when the form has none.
  virtual std::string FailedHeader() const = 0;
  /// Returns a failed record as a line of that file, with its reason, so that the file can be imported.
  virtual std::string FailedLine(const ImportFault& fault) const = 0;
};

enum class ImportFormat { kCsv, kJsonLines };

struct ImportSourceOptions {
  ImportFormat format = ImportFormat::kCsv;
  std::filesystem::path base;  // where relative paths in the file start
};

/// Returns a reader of `stream`, which must outlive it. VALUE_MISSING, VALUE_MALFORMED: no usable CSV header.
Result<std::unique_ptr<ImportSource>> OpenImportSource(std::istream& stream, const ImportSourceOptions& options);

/// Returns the format that a file name's ending tells: .csv, .jsonl, .ndjson, .json; nothing for others.
std::optional<ImportFormat> FormatOfFileName(const std::filesystem::path& file);

}  // namespace idzone::cli
