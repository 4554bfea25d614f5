// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "services/core/base/octets.h"

namespace idzone::cli {

/// Reads a certificate, request or key from a regular file, or from standard input for "-": as it is, at most 16 KiB.
/// NOT_FOUND, LIMIT_EXCEEDED, MATERIAL_MISSING (an empty file).
Result<Octets> ReadMaterialFile(const std::filesystem::path& file);

/// Returns the octets of material that came as text: PEM or armor as it is, base64 decoded. MATERIAL_MALFORMED.
Result<Octets> MaterialFromText(const std::string& text, std::string_view subject);

}  // namespace idzone::cli
