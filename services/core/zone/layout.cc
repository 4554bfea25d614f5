// SPDX-License-Identifier: MIT
#include "services/core/zone/layout.h"

#include <algorithm>

#include "services/core/base/limits.h"

namespace idzone::zone {

Result<Layout> MakeLayout(LayoutKind kind, std::uint32_t width, EnumForm form) {
  if (form > EnumForm::kE164) return Fail(Reason::kEnumUnknown, "layout.form", "a form of ids", std::to_string(static_cast<int>(form)));
  if ((kind == LayoutKind::kEnum) != (form != EnumForm::kNone))
    return Fail(Reason::kValueOutOfRange, "layout.form", kind == LayoutKind::kEnum ? "what the ids are" : "none, for it belongs to enum",
                kind == LayoutKind::kEnum ? "nothing" : "one");
  switch (kind) {
    case LayoutKind::kFlat:
      if (width != 0) return Fail(Reason::kValueOutOfRange, "layout.width", "0 for flat", std::to_string(width));
      return Layout{LayoutKind::kFlat, 0, form};
    case LayoutKind::kTree:
      if (width > kTreeWidthMax) return Fail(Reason::kValueOutOfRange, "layout.width", "0 to 3", std::to_string(width));
      return Layout{LayoutKind::kTree, static_cast<std::uint8_t>(width), form};
    case LayoutKind::kEnum:
      if (width != 0) return Fail(Reason::kValueOutOfRange, "layout.width", "0 for enum", std::to_string(width));
      return Layout{LayoutKind::kEnum, 0, form};
  }
  return Fail(Reason::kEnumUnknown, "layout.kind", "flat, tree or enum", std::to_string(static_cast<int>(kind)));
}

std::uint8_t WidthForExpected(std::uint64_t identities) {
  if (identities <= 1'000) return 0;
  if (identities <= 100'000) return 1;
  return identities <= 10'000'000 ? 2 : 3;
}

Result<dns::Name> OwnerName(const Layout& layout, const dns::Name& apex, const identity::DeviceId& id) {
  dns::Name parent = apex;
  if (layout.kind == LayoutKind::kTree && layout.width > 0) {
    auto prefix = apex.Prepend(HexEncode(Sha256(id.text())).substr(0, layout.width));
    if (!prefix) return Fail(Reason::kIdNotCarriedByLayout, "id", "an owner name of at most 255 octets", prefix.error().met);
    parent = *prefix;
  }
  auto owner = parent.Prepend(id.text());
  if (!owner) return Fail(Reason::kIdNotCarriedByLayout, "id", "an owner name of at most 255 octets", owner.error().met);
  return *owner;
}

Result<void> CheckDeviceApex(const dns::Name& apex) {
  if (apex.FirstLabel() != "_device" || apex.label_count() < 2)
    return Fail(Reason::kZoneApexForbidden, "name", "_device.<organisation's domain>", apex.Format());
  if (apex.wire().size() > limits::kZoneNameOctetsMax)
    return Fail(Reason::kZoneApexForbidden, "name", "at most 222 octets, for NSEC3 owners", std::to_string(apex.wire().size()));
  for (const OctetsView label : apex.Labels()) {
    const bool host = std::all_of(label.begin(), label.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
    if (!host) return Fail(Reason::kZoneApexForbidden, "name", "labels of letters, digits, hyphens, underscores (A-labels)", apex.Format());
  }
  return {};
}

}  // namespace idzone::zone
