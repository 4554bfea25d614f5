// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "services/core/base/octets.h"

namespace idzone::identity {

/// A device's identifier inside its namespace: one DNS label of letters, digits, hyphens and inner underscores,
/// lower case. (draft-ietf-dance-client-auth: "letters, digits, hyphen and underscore".) DNS compares without case,
/// so `Sensor7` and `sensor7` are one device.
class DeviceId {
 public:
  /// ID_MALFORMED: empty, over 63 octets, another character, a hyphen at an end, or an underscore in front (those
  /// labels belong to protocols: `_acme-challenge` and its like must never be enrolled).
  static Result<DeviceId> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  friend bool operator==(const DeviceId&, const DeviceId&) = default;

 private:
  explicit DeviceId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The natural key of an identity: the first 16 octets of SHA-256(namespace wire name, 0x00-free by construction of
/// a wire name, then the subject's text). Two enrollments of one device meet in it.
using IdentityId = Octets;
inline constexpr std::size_t kIdentityIdOctets = 16;
IdentityId MakeIdentityId(OctetsView namespace_wire, const DeviceId& subject);

}  // namespace idzone::identity
