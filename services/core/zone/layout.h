// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "services/core/dns/name.h"
#include "services/core/identity/subject.h"

/// Where an identity lives below its namespace. Chosen when the namespace is created, never changed.
namespace idzone::zone {

/// The numbers are stored in PostgreSQL and sent on the wire.
enum class LayoutKind : std::uint8_t { kFlat = 1, kTree = 2, kEnum = 3 };

/// What the ids of an enum layout are. The numbers are stored in PostgreSQL and sent on the wire.
enum class EnumForm : std::uint8_t {
  kNone = 0,
  kDigits = 1,
  kNibbles = 2,
  kEui48 = 3,
  kEui64 = 4,
  kImei = 5,
  kGs1 = 6,
  kE164 = 7,
};

/// Whether owner names show ids. The numbers are stored in PostgreSQL and sent on the wire.
enum class LabelPrivacy : std::uint8_t { kClear = 1, kPrivate = 2, kChosen = 3 };

/// `flat`: `<id>.<apex>`.
/// `tree`: `<id>.<p>.<apex>`, p = the first `width` hex digits of SHA-256 of the final first label; width 0 has no p.
/// Worked example: id `sensor7`, width 2: SHA-256("sensor7") begins with the octet that p spells in hex.
struct Layout {
  LayoutKind kind = LayoutKind::kTree;
  std::uint8_t width = 2;           // 0 to 3; always 0 for flat and enum
  EnumForm form = EnumForm::kNone;  // for enum alone

  friend bool operator==(const Layout&, const Layout&) = default;
};

inline constexpr std::uint8_t kTreeWidthMax = 3;

/// Returns the layout of that name; VALUE_OUT_OF_RANGE for a width or a form that it does not have.
Result<Layout> MakeLayout(LayoutKind kind, std::uint32_t width, EnumForm form = EnumForm::kNone);

/// Returns the width that keeps a prefix below some ten thousand identities.
std::uint8_t WidthForExpected(std::uint64_t identities);

/// Returns the owner name of a device. ID_NOT_CARRIED_BY_LAYOUT when the name would be too long.
Result<dns::Name> OwnerName(const Layout& layout, const dns::Name& apex, const identity::DeviceId& id);

/// Checks that `apex` may be the apex of a device namespace: its first label is `_device` (architecture "Names"), and it
/// leaves room for an NSEC3 label. ZONE_APEX_FORBIDDEN otherwise.
Result<void> CheckDeviceApex(const dns::Name& apex);

}  // namespace idzone::zone
