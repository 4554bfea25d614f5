// SPDX-License-Identifier: MIT
#include "services/core/identity/subject.h"

#include <algorithm>

#include "services/core/base/limits.h"

namespace idzone::identity {
namespace {

constexpr std::string_view kExpected = "1 to 63 letters, digits, hyphens or underscores, no hyphen at an end, no underscore in front";

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsAllowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// Shows untrusted text in an error: printable ASCII, cut short.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 80)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  return "\"" + shown + (text.size() > 80 ? "…\"" : "\"");
}

}  // namespace

Result<DeviceId> DeviceId::Parse(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  const bool sized = !lower.empty() && lower.size() <= limits::kLabelOctetsMax;
  if (!sized || !std::all_of(lower.begin(), lower.end(), IsAllowed) || lower.front() == '-' || lower.back() == '-' || lower.front() == '_')
    return Fail(Reason::kIdMalformed, "id", std::string(kExpected), Shown(text));
  return DeviceId(std::move(lower));
}

IdentityId MakeIdentityId(OctetsView namespace_wire, const DeviceId& subject) {
  // The wire name ends with its root label, so the boundary between the two parts is unambiguous.
  return Sha256(Octets(namespace_wire) + subject.text()).substr(0, kIdentityIdOctets);
}

}  // namespace idzone::identity
