// SPDX-License-Identifier: MIT
#include "cli/import/record.h"

#include <algorithm>

#include "cli/input.h"
#include "services/core/base/limits.h"
#include "services/core/identity/subject.h"

namespace idzone::cli {
namespace {

struct Material {
  identity::MaterialKind kind = identity::MaterialKind::kCertificate;
  Octets octets;
};

constexpr char kMaterialExpected[] = "one of certificate, csr, public_key, certificate_file, csr_file, public_key_file";

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
  Result<Octets> octets = chosen->is_file ? ReadMaterialFile(base / value) : MaterialFromText(value, chosen->name);
  if (!octets) return tl::unexpected(octets.error());
  if (octets->size() > limits::kMaterialOctetsMax)
    return Fail(Reason::kLimitExceeded, std::string(chosen->name), "at most 16 KiB", std::to_string(octets->size()) + " octets");
  return Material{chosen->kind, *std::move(octets)};
}

}  // namespace

ImportRecord MakeImportRecord(RecordFrame frame, const FieldLookup& field, const std::filesystem::path& base) {
  std::string id = field(kIdField);
  const auto fault = [&](Error error) {
    return ImportFault{.line = frame.line, .id = id, .error = std::move(error), .original = std::move(frame.original), .text = {}};
  };
  if (id.empty()) return fault({Reason::kValueMissing, "id", "an id", "none"});
  // The id is checked here too because octets that are no UTF-8 would break the whole stream and not only their item.
  if (const auto checked = identity::Subject::Parse(identity::SubjectForm::kLabel, id); !checked) return fault(checked.error());
  Result<Material> material = FindMaterial(field, base);
  if (!material) return fault(material.error());
  return ImportItem{.line = frame.line,
                    .id = std::move(id),
                    .kind = material->kind,
                    .material = std::move(material->octets),
                    .original = std::move(frame.original)};
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
