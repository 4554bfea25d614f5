// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "services/core/base/octets.h"

namespace idzone::rpc {

/// A PEM file's content, and its name for what is said about it.
struct PemFile {
  std::string name;
  OctetsView content;
};

/// Checks that a certificate and a private key, both PEM, can be read and belong together: gRPC itself would only fail each
/// handshake. KEY_FILE_INVALID names the file.
Result<void> CheckKeyPair(const PemFile& certificate, const PemFile& private_key);

/// Checks that a file holds at least one PEM certificate. KEY_FILE_INVALID.
Result<void> CheckCertificates(const PemFile& file);

}  // namespace idzone::rpc
