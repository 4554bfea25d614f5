// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Untrusted text: may it be an id, and how is it shown in a refusal.
namespace idzone::identity {

/// Returns what makes `text` not printable UTF-8, with its position: octets that are no UTF-8 (RFC 3629: no overlong form, no
/// surrogate, at most U+10FFFF), a control character, or one of the invisible characters that make two ids look alike.
/// Nothing when all is well. Limits: knows no other unassigned or unprintable characters, for those change with each Unicode.
std::optional<std::string> FindUnprintable(std::string_view text);

/// Returns printable ASCII in quotes, cut short.
std::string Shown(std::string_view text);

/// Returns `text` with A to Z in lower case.
std::string AsciiLower(std::string_view text);

}  // namespace idzone::identity
