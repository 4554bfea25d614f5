// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/core/dns/name.h"
#include "services/core/identity/subject.h"
#include "services/core/zone/namespace_kind.h"

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

/// `flat`: `<first>.<apex>`, where <first> is the id or, when names do not show ids, its private label.
/// `tree`: `<first>.<p>.<apex>`, p = the first `width` hex digits of SHA-256 of <first>; width 0 has no p. Each p is a zone (cut.h).
/// Worked example: id `sensor7`, width 2: SHA-256("sensor7") begins with the octet that p spells in hex.
/// `enum`: one label a digit, the last digit first (RFC 6116 §3.2): `3.8.0.0.6.9.2.3.6.1.4.4.<apex>` is +44 1632 960083. A GS1
/// serial is one label below its GTIN's 14.
/// Mailboxes and services have one place each, whatever the layout: NamespaceKind says which.
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

/// Returns what the ids of such a namespace are. Where each identity chooses whether its name shows its id, ids compare without
/// case either way, so that one id is one identity whatever it chose.
identity::SubjectForm FormOf(NamespaceKind kind, const Layout& layout, LabelPrivacy labels);

/// Returns the owner name of a subject. `private_label` (identity/private_label.h) takes the id's place in flat and tree layouts.
/// ID_NOT_CARRIED_BY_LAYOUT when the name would be too long or the layout has no private labels; ID_MALFORMED when a clear
/// name was asked for an id that is no label.
/// Requires: a subject of the form that FormOf says.
Result<dns::Name> OwnerName(const Layout& layout, const dns::Name& apex, const identity::Subject& subject,
                            const std::optional<std::string>& private_label = std::nullopt);

}  // namespace idzone::zone
