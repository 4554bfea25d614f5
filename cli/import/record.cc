// SPDX-License-Identifier: MIT
#include "cli/import/record.h"

#include <algorithm>

#include "cli/input.h"
#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"

namespace idzone::cli {
namespace {

/// An OpenSSH key is text as it is; the others are PEM, armor or base64.
Result<Octets> OctetsOf(const MaterialField& field, const std::string& value, const std::filesystem::path& base) {
  if (field.is_file) return ReadMaterialFile(base / value);
  if (field.form == MaterialForm::kSshPublicKey) return value;
  return MaterialFromText(value, field.name);
}

Result<Material> FindMaterial(const FieldLookup& field, const std::filesystem::path& base) {
  const MaterialField* chosen = nullptr;
  std::string value;
  for (const MaterialField& candidate : kMaterialFields) {
    std::string text = field(candidate.name);
    if (text.empty()) continue;
    if (chosen != nullptr)
      return Fail(Reason::kValueMalformed, "record", kMaterialExpected,
                  "both " + std::string(chosen->name) + " and " + std::string(candidate.name));
    chosen = &candidate;
    value = std::move(text);
  }
  if (chosen == nullptr) return Fail(Reason::kMaterialMissing, "record", kMaterialExpected, "none");
  Result<Octets> octets = OctetsOf(*chosen, value, base);
  if (!octets) return tl::unexpected(octets.error());
  if (octets->size() > limits::kMaterialOctetsMax)
    return Fail(Reason::kLimitExceeded, std::string(chosen->name), "at most 16 KiB", std::to_string(octets->size()) + " octets");
  return Material{chosen->form, *std::move(octets)};
}

}  // namespace

ImportRecord MakeImportRecord(RecordFrame frame, const FieldLookup& field, const std::filesystem::path& base) {
  std::string id = field(kIdField);
  const auto fault = [&](Error error) {
    return ImportFault{.line = frame.line, .id = id, .error = std::move(error), .original = std::move(frame.original), .text = {}};
  };
  // Whatever the namespace's ids are, they are text: octets that are none would break the whole stream and not only their item.
  if (id.empty()) return fault({Reason::kValueMissing, "id", "an id", "none"});
  if (const auto checked = identity::Subject::Parse(identity::SubjectForm::kOpaque, id); !checked) return fault(checked.error());
  Result<Material> material = FindMaterial(field, base);
  if (!material) return fault(material.error());
  return ImportItem{.line = frame.line, .id = std::move(id), .material = *std::move(material), .original = std::move(frame.original)};
}

Result<std::unique_ptr<ImportSource>> OpenImportSource(std::istream& stream, const ImportSourceOptions& options) {
  if (options.format == ImportFormat::kCsv) return OpenCsvSource(stream, options.base);
  return OpenJsonLinesSource(stream, options.base);
}

std::optional<ImportFormat> FormatOfFileName(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".csv") return ImportFormat::kCsv;
  if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json") return ImportFormat::kJsonLines;
  return std::nullopt;
}

}  // namespace idzone::cli
