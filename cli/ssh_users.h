// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "services/core/dns/name.h"

/// The file that says who may log in with the keys of which names. Lines: a user, then owner names; `#` begins a comment.
///   ada  k3f9q2.1f._user.acme.example  ada-laptop.7c._device.acme.example
/// Several lines of one user are added up.
namespace idzone::cli {

/// A thousand lines of some names each.
inline constexpr std::size_t kSshUsersFileOctetsMax = 256 * 1024;
/// Each name costs two look-ups while somebody waits to log in.
inline constexpr std::size_t kSshUserNamesMax = 8;

/// Returns the user's names, none when the file does not have that user. As sshd does with its own files: the file, the folder
/// where it really lies and every folder above must belong to root and be writable by root alone.
/// NOT_FOUND; VALUE_MALFORMED (owner or mode; a name of the user that is none), LIMIT_EXCEEDED.
Result<std::vector<dns::Name>> ReadSshUser(const std::filesystem::path& file, std::string_view user);

/// The same of a file's text.
Result<std::vector<dns::Name>> ParseSshUser(std::string_view text, std::string_view user, std::string_view subject);

/// Whether an owner and a mode mean that root alone writes. VALUE_MALFORMED otherwise.
Result<void> CheckRootAlone(const std::filesystem::path& path, unsigned owner, unsigned mode);

}  // namespace idzone::cli
