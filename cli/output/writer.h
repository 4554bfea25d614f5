// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/json.h"

/// Writes what a command found, in the form that the caller asked for. Text from servers never reaches a terminal
/// with control characters in it.
namespace idzone::cli {

enum class OutputFormat { kTable, kJson, kYaml, kJsonLines };

/// Writes one thing: `key: value` lines for people, or the whole value.
void WriteObject(std::ostream& out, OutputFormat format, const Json& object);

struct Column {
  std::string title;
  std::string key;  // of the row
};

/// Writes a list row by row, so that a list of any length passes through bounded memory: only the table's first rows
/// are kept, to find the widths.
class ListWriter {
 public:
  ListWriter(std::ostream& out, OutputFormat format, std::vector<Column> columns);
  ~ListWriter();
  ListWriter(const ListWriter&) = delete;
  ListWriter& operator=(const ListWriter&) = delete;

  void Add(Json row);
  /// Requires: called once, last.
  void End();

 private:
  void WriteTableRow(const std::vector<std::string>& cells);
  void FlushTable();

  std::ostream& out_;
  OutputFormat format_;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> kept_;
  std::vector<std::size_t> widths_;
  bool table_begun_ = false;
  std::size_t rows_ = 0;
};

/// Returns a value as a table cell or a line: no quotes, control characters as `\xHH`, "-" for nothing.
std::string CellText(const Json& value);

/// Returns the number of terminal columns of UTF-8 text, taking each code point for one.
std::size_t DisplayWidth(std::string_view text);

}  // namespace idzone::cli
