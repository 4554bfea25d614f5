// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "cli/import/csv.h"
#include "cli/import/record.h"

namespace idzone::cli {
namespace {

class CsvSource : public ImportSource {
 public:
  CsvSource(std::istream& stream, std::filesystem::path base) : lines_(stream), reader_(lines_), base_(std::move(base)) {}

  Result<void> ReadHeader() {
    const std::optional<CsvRecord> header = reader_.Next();
    if (!header) return Fail(Reason::kValueMissing, "line 1", "a header, for example id,certificate_file", "an empty file");
    if (!header->fault.empty()) return Fail(Reason::kValueMalformed, "line 1", "a header, for example id,certificate_file", header->fault);
    for (std::size_t i = 0; i < header->fields.size(); ++i) {
      std::string name = header->fields[i];
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (!columns_.emplace(name, i).second) return Fail(Reason::kValueMalformed, "line 1", "each column once", name + " twice");
      if (!name.starts_with(kErrorPrefix)) kept_.push_back(i);
    }
    const bool material = std::any_of(kMaterialFields.begin(), kMaterialFields.end(),
                                      [&](const MaterialField& field) { return columns_.contains(field.name); });
    if (!columns_.contains(kIdField) || !material)
      return Fail(Reason::kValueMissing, "line 1", std::string("a header with id and ") + kMaterialExpected,
                  Join(header->fields).substr(0, 200));
    header_ = Join(header->fields);
    reader_.ExpectFields(header->fields.size());
    return {};
  }

  std::optional<ImportRecord> Next() override {
    std::optional<CsvRecord> record = reader_.Next();
    if (!record) return std::nullopt;
    if (!record->fault.empty()) {
      Error error{Reason::kValueMalformed, "line " + std::to_string(record->line), "a CSV record", record->fault};
      return ImportFault{.line = record->line, .id = {}, .error = std::move(error), .original = {}, .text = std::move(record->text)};
    }
    const auto field = [&](std::string_view name) {
      const auto column = columns_.find(name);
      return column == columns_.end() ? std::string() : record->fields[column->second];
    };
    return MakeImportRecord({.line = record->line, .original = Join(record->fields)}, field, base_);
  }

  bool failed() const override { return lines_.failed(); }
  std::uint64_t octets_read() const override { return lines_.octets_read(); }

  std::string FailedHeader() const override { return header_ + ",error_line,error_reason,error_detail,error_text"; }

  std::string FailedLine(const ImportFault& fault) const override {
    // A record that could not be parsed leaves its own columns empty, so that the file stays sound CSV.
    const std::string original = fault.original.empty() ? std::string(kept_.size() - 1, ',') : fault.original;
    return original + ',' + std::to_string(fault.line) + ',' + std::string(ReasonName(fault.error.reason)) + ',' +
           CsvField(fault.error.Detail()) + ',' + CsvField(fault.text);
  }

 private:
  /// Returns the caller's own columns as CSV, without those that an earlier import added.
  std::string Join(const std::vector<std::string>& fields) const {
    std::string joined;
    for (std::size_t i = 0; i < kept_.size(); ++i) joined += (i == 0 ? "" : ",") + CsvField(fields[kept_[i]]);
    return joined;
  }

  LineReader lines_;
  CsvReader reader_;
  std::filesystem::path base_;
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::size_t> kept_;
  std::string header_;
};

}  // namespace

Result<std::unique_ptr<ImportSource>> OpenCsvSource(std::istream& stream, std::filesystem::path base) {
  auto source = std::make_unique<CsvSource>(stream, std::move(base));
  if (const Result<void> header = source->ReadHeader(); !header) return tl::unexpected(header.error());
  return source;
}

}  // namespace idzone::cli
