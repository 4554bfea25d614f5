// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "services/sealing/secret.h"

/// Files that only this process's user may read. Errors are KEY_FILE_INVALID and name the file, never its content.
namespace idzone::sealing {

/// Reads a regular file that belongs to this user or root and that nobody else may touch (mode 0600 or 0400, no
/// symbolic link), of at most `size_max` octets. In the directory of systemd credentials ($CREDENTIALS_DIRECTORY) the modes are 0440 and
/// 0400: they are root's, this user reads them by an access control list, and the group bits are that list's mask (acl(5)).
Result<Secret> ReadPrivateFile(const std::filesystem::path& path, std::size_t size_max);

/// Writes a new file of mode 0600 that is there whole or not at all, also after a power cut: temporary name, fsync,
/// rename, fsync of the directory.
Result<void> WritePrivateFile(const std::filesystem::path& path, OctetsView octets);

/// Checks that the directory is this user's and nobody else may enter it (mode 0700).
Result<void> CheckPrivateDirectory(const std::filesystem::path& path);

}  // namespace idzone::sealing
