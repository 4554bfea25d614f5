// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/import/line_reader.h"

/// CSV as RFC 4180 has it: commas, quotes around fields, doubled quotes inside, line ends inside quotes.
namespace idzone::cli {

struct CsvRecord {
  std::uint64_t line = 0;  // where it begins
  std::vector<std::string> fields;
  /// Why it is no record; empty when it is one. Then `text` has what stood there, cut at 1 KiB.
  std::string fault;
  std::string text;
};

/// Reads record by record. A broken record costs only itself: reading goes on with the next line that looks like a record
/// (has `field_count` fields), so that one stray quote does not swallow a file.
class CsvReader {
 public:
  /// `lines` must outlive the reader.
  explicit CsvReader(LineReader& lines) : lines_(lines) {}

  /// Says how many fields a record has, once the header is known.
  void ExpectFields(std::size_t count) { field_count_ = count; }

  /// Returns nothing at the end. Empty lines are skipped.
  std::optional<CsvRecord> Next();

 private:
  std::optional<LineReader::Line> NextLine();
  CsvRecord Broken(std::deque<LineReader::Line> lines, std::string fault);

  LineReader& lines_;
  std::deque<LineReader::Line> pushed_back_;
  std::size_t field_count_ = 0;
};

/// Returns a field as CSV, quoted where it must be.
std::string CsvField(std::string_view text);

}  // namespace idzone::cli
