// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "services/core/base/error.h"

namespace idzone::rpc {

/// Checks that a certificate file and a private key file, both PEM, can be read and belong together: gRPC itself would
/// only fail each handshake. KEY_FILE_INVALID names the file.
Result<void> CheckKeyPair(const std::filesystem::path& certificate, const std::filesystem::path& private_key);

/// Checks that a file holds at least one PEM certificate. KEY_FILE_INVALID.
Result<void> CheckCertificates(const std::filesystem::path& file);

}  // namespace idzone::rpc
