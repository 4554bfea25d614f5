// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/import/source.h"

/// What CSV and JSON lines have in common: the names of fields, and how fields become an item.
namespace idzone::cli {

struct MaterialField {
  std::string_view name;
  MaterialForm form;
  bool is_file;
};

inline constexpr std::string_view kIdField = "id";
inline constexpr std::string_view kErrorPrefix = "error_";
inline constexpr std::array<MaterialField, 10> kMaterialFields = {{
    {"certificate", MaterialForm::kCertificate, false},
    {"csr", MaterialForm::kCertificateRequest, false},
    {"public_key", MaterialForm::kPublicKey, false},
    {"ssh_public_key", MaterialForm::kSshPublicKey, false},
    {"openpgp_key", MaterialForm::kOpenPgpKey, false},
    {"certificate_file", MaterialForm::kCertificate, true},
    {"csr_file", MaterialForm::kCertificateRequest, true},
    {"public_key_file", MaterialForm::kPublicKey, true},
    {"ssh_public_key_file", MaterialForm::kSshPublicKey, true},
    {"openpgp_key_file", MaterialForm::kOpenPgpKey, true},
}};
/// How an error says what was expected.
inline constexpr char kMaterialExpected[] = "one of certificate, csr, public_key, ssh_public_key, openpgp_key, or one of these with _file";

/// Returns a field's text; empty when the record does not have it.
using FieldLookup = std::function<std::string(std::string_view name)>;

struct RecordFrame {
  std::uint64_t line = 0;
  std::string original;
};

/// Checks id and material and reads material files. What the server alone can judge is left to it.
ImportRecord MakeImportRecord(RecordFrame frame, const FieldLookup& field, const std::filesystem::path& base);

Result<std::unique_ptr<ImportSource>> OpenCsvSource(std::istream& stream, std::filesystem::path base);
std::unique_ptr<ImportSource> OpenJsonLinesSource(std::istream& stream, std::filesystem::path base);

}  // namespace idzone::cli
