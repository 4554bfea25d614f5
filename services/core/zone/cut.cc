// SPDX-License-Identifier: MIT
#include "services/core/zone/cut.h"

#include <algorithm>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kSeparators = "+:-. ()";

Result<dns::Name> ZoneBelow(const dns::Name& apex, std::string_view label) {
  auto name = apex.Prepend(label);
  if (!name) return name;
  if (name->wire().size() > limits::kZoneNameOctetsMax)
    return Fail(Reason::kNameMalformed, "cut", "a zone name of at most " + std::to_string(limits::kZoneNameOctetsMax) + " octets",
                std::to_string(name->wire().size()) + " in " + name->Format());
  return name;
}

struct Digits {
  std::size_t most;  // the longest prefix: shorter than every id
  bool hexadecimal;
};

Digits DigitsOf(EnumForm form) {
  switch (form) {
    case EnumForm::kDigits: return {limits::kEnumDigitsMax - 1, false};
    case EnumForm::kNibbles: return {limits::kEnumDigitsMax - 1, true};
    case EnumForm::kEui48: return {11, true};
    case EnumForm::kEui64: return {15, true};
    case EnumForm::kImei: return {14, false};
    case EnumForm::kGs1: return {13, false};
    case EnumForm::kE164: return {14, false};
    case EnumForm::kNone: break;
  }
  InvariantBroken("an enum layout says what its ids are", __FILE__, __LINE__);
}

}  // namespace

std::uint32_t TreeCutCount(const Layout& layout) {
  return layout.kind == LayoutKind::kTree && layout.width > 0 ? 1U << (4U * layout.width) : 0;
}

Result<dns::Name> TreeCut(const Layout& layout, const dns::Name& apex, std::uint32_t number) {
  IDZONE_INVARIANT(number < TreeCutCount(layout), "a tree has a cut for each prefix and no other");
  std::string label(layout.width, '0');
  for (std::size_t i = label.size(); i-- > 0; number /= 16) label[i] = kHexDigits[number % 16];
  return ZoneBelow(apex, label);
}

std::vector<dns::Name> PossibleCuts(const Layout& layout, const dns::Name& apex, const dns::Name& owner) {
  IDZONE_INVARIANT(owner.IsAtOrBelow(apex), "a namespace's names are at or below its apex");
  const bool tree = layout.kind == LayoutKind::kTree;
  std::vector<dns::Name> names;
  for (dns::Name name = owner; name != apex; name = name.Parent()) {
    if (tree) names.clear();
    names.push_back(name);
  }
  return names;
}

Result<CutPrefix> ParseCutPrefix(const Layout& layout, const dns::Name& apex, std::string_view text) {
  const Digits form = DigitsOf(layout.form);
  CutPrefix prefix{{}, apex};
  for (const char c : text) {
    if (kSeparators.find(c) != std::string_view::npos) continue;
    const char digit = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (kHexDigits.substr(0, form.hexadecimal ? 16 : 10).find(digit) == std::string_view::npos)
      return Fail(Reason::kValueMalformed, "prefix", form.hexadecimal ? "hexadecimal digits" : "decimal digits", std::string(text));
    if (prefix.digits.size() == form.most) {
      return Fail(Reason::kValueOutOfRange, "prefix", "at most " + std::to_string(form.most) + " digits, fewer than an id has",
                  std::string(text));
    }
    prefix.digits += digit;
    auto zone = ZoneBelow(prefix.zone, std::string_view(&digit, 1));
    if (!zone) return tl::unexpected(zone.error());
    prefix.zone = *std::move(zone);
  }
  if (prefix.digits.empty()) return Fail(Reason::kValueOutOfRange, "prefix", "at least one digit", "none");
  return prefix;
}

}  // namespace idzone::zone
