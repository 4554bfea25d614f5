// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/import/line_reader.h"
#include "cli/import/record.h"
#include "cli/output/json.h"

namespace idzone::cli {
namespace {

constexpr std::size_t kBrokenTextMax = 1024;

std::string Dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class JsonLinesSource : public ImportSource {
 public:
  JsonLinesSource(std::istream& stream, std::filesystem::path base) : lines_(stream), base_(std::move(base)) {}

  std::optional<ImportRecord> Next() override {
    while (std::optional<LineReader::Line> line = lines_.Next()) {
      if (line->too_long) return Broken(*line, "a line over 64 KiB");
      if (line->text.find_first_not_of(" \t") == std::string::npos) continue;
      return Read(*line);
    }
    return std::nullopt;
  }

  bool failed() const override { return lines_.failed(); }
  std::uint64_t octets_read() const override { return lines_.octets_read(); }
  std::string FailedHeader() const override { return {}; }

  std::string FailedLine(const ImportFault& fault) const override {
    Json object = fault.original.empty() ? Json::object() : Json::parse(fault.original, nullptr, false);
    object["error_line"] = fault.line;
    object["error_reason"] = std::string(ReasonName(fault.error.reason));
    object["error_detail"] = fault.error.Detail();
    if (!fault.text.empty()) object["error_text"] = fault.text;
    return Dump(object);
  }

 private:
  ImportRecord Broken(const LineReader::Line& line, std::string met) const {
    Error error{Reason::kValueMalformed, "line " + std::to_string(line.number), "one JSON object", std::move(met)};
    return ImportFault{
        .line = line.number, .id = {}, .error = std::move(error), .original = {}, .text = line.text.substr(0, kBrokenTextMax)};
  }

  ImportRecord Read(const LineReader::Line& line) const {
    Json object;
    try {
      object = Json::parse(line.text);
    } catch (const Json::exception& exception) {
      return Broken(line, std::string(exception.what()).substr(0, 200));
    }
    if (!object.is_object()) return Broken(line, "another JSON value");
    for (auto entry = object.begin(); entry != object.end();)
      entry = entry.key().starts_with(kErrorPrefix) ? object.erase(entry) : std::next(entry);
    if (const std::string name = FieldOfAnotherType(object); !name.empty()) return Broken(line, name + " that is no string");
    const auto field = [&](std::string_view name) {
      const auto entry = object.find(std::string(name));
      return entry == object.end() || entry->is_null() ? std::string() : entry->get<std::string>();
    };
    return MakeImportRecord({.line = line.number, .original = Dump(object)}, field, base_);
  }

  static std::string FieldOfAnotherType(const Json& object) {
    const auto is_wrong = [&](std::string_view name) {
      const auto entry = object.find(std::string(name));
      return entry != object.end() && !entry->is_string() && !entry->is_null();
    };
    if (is_wrong(kIdField)) return std::string(kIdField);
    for (const MaterialField& field : kMaterialFields) {
      if (is_wrong(field.name)) return std::string(field.name);
    }
    return {};
  }

  LineReader lines_;
  std::filesystem::path base_;
};

}  // namespace

std::unique_ptr<ImportSource> OpenJsonLinesSource(std::istream& stream, std::filesystem::path base) {
  return std::make_unique<JsonLinesSource>(stream, std::move(base));
}

}  // namespace idzone::cli
