// SPDX-License-Identifier: MIT
#include "cli/output/writer.h"

#include <algorithm>
#include <ostream>

#include <nlohmann/json.hpp>

#include "cli/output/yaml.h"

namespace idzone::cli {
namespace {

/// Enough rows to find good column widths, few enough to appear at once.
constexpr std::size_t kTableRowsKept = 200;

/// Bad UTF-8 must not make the writer throw: it is replaced.
std::string Dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string Printable(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string clean;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet != 0x7f) {
      clean.push_back(c);
    } else if (c == '\t') {
      // Records in master file form have tabs between their fields.
      clean.push_back(' ');
    } else {
      clean += "\\x";
      clean.push_back(kDigits[octet >> 4]);
      clean.push_back(kDigits[octet & 15]);
    }
  }
  return clean;
}

std::string Title(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

void WriteLines(std::ostream& out, const Json& object) {
  std::size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, DisplayWidth(key));
  for (const auto& [key, value] : object.items()) {
    out << Title(key) << ':' << std::string(width - DisplayWidth(key) + 2, ' ');
    // A list gets a line for each element, below each other.
    if (value.is_array() && !value.empty()) {
      bool first = true;
      for (const Json& element : value) {
        if (!first) out << std::string(width + 3, ' ');
        out << CellText(element) << '\n';
        first = false;
      }
    } else {
      out << CellText(value) << '\n';
    }
  }
}

}  // namespace

std::string CellText(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.empty() ? "-" : Printable(text);
  }
  if (value.is_array() || value.is_object()) {
    std::string text;
    for (const auto& [key, element] : value.items()) {
      if (!text.empty()) text += ", ";
      if (value.is_object()) text += Printable(key) + ' ';
      text += CellText(element);
    }
    return text.empty() ? "-" : text;
  }
  return Dump(value, -1);
}

std::size_t DisplayWidth(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void WriteObject(std::ostream& out, OutputFormat format, const Json& object) {
  switch (format) {
    case OutputFormat::kTable: WriteLines(out, object); break;
    case OutputFormat::kJson: out << Dump(object, 2) << '\n'; break;
    case OutputFormat::kYaml: WriteYaml(out, object); break;
    case OutputFormat::kJsonLines: out << Dump(object, -1) << '\n'; break;
  }
}

ListWriter::ListWriter(std::ostream& out, OutputFormat format, std::vector<Column> columns)
    : out_(out), format_(format), columns_(std::move(columns)) {}

ListWriter::~ListWriter() = default;

void ListWriter::Add(Json row) {
  ++rows_;
  switch (format_) {
    case OutputFormat::kTable: {
      std::vector<std::string> cells;
      for (const Column& column : columns_) cells.push_back(row.contains(column.key) ? CellText(row[column.key]) : "-");
      if (table_begun_) {
        WriteTableRow(cells);
      } else {
        kept_.push_back(std::move(cells));
        if (kept_.size() >= kTableRowsKept) FlushTable();
      }
      break;
    }
    case OutputFormat::kJson: out_ << (rows_ == 1 ? "[\n" : ",\n") << Dump(row, 2); break;
    case OutputFormat::kYaml: WriteYaml(out_, Json::array({std::move(row)})); break;
    case OutputFormat::kJsonLines: out_ << Dump(row, -1) << '\n'; break;
  }
}

void ListWriter::End() {
  if (format_ == OutputFormat::kTable && !table_begun_) FlushTable();
  if (format_ == OutputFormat::kJson) out_ << (rows_ == 0 ? "[]\n" : "\n]\n");
  if (format_ == OutputFormat::kYaml && rows_ == 0) out_ << "[]\n";
}

void ListWriter::FlushTable() {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  widths_.assign(columns_.size(), 0);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths_[i] = DisplayWidth(titles[i]);
    for (const auto& cells : kept_) widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
  }
  table_begun_ = true;
  WriteTableRow(titles);
  for (const auto& cells : kept_) WriteTableRow(cells);
  kept_.clear();
}

void ListWriter::WriteTableRow(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out_ << cells[i];
    // No blanks behind the last column: lines are copied into tickets.
    if (i + 1 == cells.size()) break;
    const std::size_t width = DisplayWidth(cells[i]);
    out_ << std::string(width < widths_[i] ? widths_[i] - width + 2 : 2, ' ');
  }
  out_ << '\n';
}

}  // namespace idzone::cli
