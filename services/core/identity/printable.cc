// SPDX-License-Identifier: MIT
#include "services/core/identity/printable.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace idzone::identity {
namespace {

constexpr std::size_t kShownMax = 80;

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t octets = 0;  // 0: not UTF-8
};

/// Source: RFC 3629 §4. Requires: text is not empty.
CodePoint TakeCodePoint(std::string_view text) {
  const auto octet = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])); };
  const std::uint32_t first = octet(0);
  if (first < 0x80) return {first, 1};
  const std::size_t octets = first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc0 && first < 0xe0 ? 2 : 0;
  if (octets == 0 || octets > text.size()) return {};
  std::uint32_t value = first & (0xffU >> (octets + 1));
  for (std::size_t at = 1; at < octets; ++at) {
    if ((octet(at) & 0xc0) != 0x80) return {};
    value = value << 6 | (octet(at) & 0x3f);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[octets] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, octets};
}

bool IsControl(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

/// Zero-width characters, line and paragraph separators, direction marks, the byte order mark.
bool IsInvisible(std::uint32_t point) {
  return point == 0xad || (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

std::string CodePointText(std::uint32_t point) {
  char text[16];
  std::snprintf(text, sizeof(text), "U+%04X", static_cast<unsigned>(point));
  return text;
}

}  // namespace

std::optional<std::string> FindUnprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = TakeCodePoint(text.substr(at));
    const std::string where = " at octet " + std::to_string(at + 1);
    if (point.octets == 0) return "no UTF-8" + where;
    if (IsControl(point.value)) return "control character " + CodePointText(point.value) + where;
    if (IsInvisible(point.value)) return "invisible character " + CodePointText(point.value) + where;
    at += point.octets;
  }
  return std::nullopt;
}

std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kShownMax)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  return "\"" + shown + (text.size() > kShownMax ? "…\"" : "\"");
}

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace idzone::identity
