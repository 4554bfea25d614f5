// SPDX-License-Identifier: MIT
#include "services/core/zone/layout.h"

#include <vector>

namespace idzone::zone {
namespace {

using identity::SubjectForm;

constexpr std::size_t kMailboxHashOctets = 28;

SubjectForm FormOfIds(EnumForm form) {
  switch (form) {
    case EnumForm::kDigits: return SubjectForm::kDigits;
    case EnumForm::kNibbles: return SubjectForm::kNibbles;
    case EnumForm::kEui48: return SubjectForm::kEui48;
    case EnumForm::kEui64: return SubjectForm::kEui64;
    case EnumForm::kImei: return SubjectForm::kImei;
    case EnumForm::kGs1: return SubjectForm::kGs1;
    case EnumForm::kE164: return SubjectForm::kE164;
    case EnumForm::kNone: break;
  }
  InvariantBroken("an enum layout says what its ids are", __FILE__, __LINE__);
}

/// Returns the name that has those labels below `apex`, the one next to the apex first.
Result<dns::Name> Below(const dns::Name& apex, const std::vector<std::string>& labels) {
  dns::Name name = apex;
  for (const std::string& label : labels) {
    auto longer = name.Prepend(label);
    if (!longer) return Fail(Reason::kIdNotCarriedByLayout, "id", "an owner name of at most 255 octets", longer.error().met);
    name = *std::move(longer);
  }
  return name;
}

/// Returns one label a digit, then the serial of a GS1 id.
std::vector<std::string> EnumLabels(const identity::Subject& subject) {
  const std::string& text = subject.text();
  const std::size_t digits = text.find('.');
  std::vector<std::string> labels;
  for (const char digit : text.substr(0, digits)) labels.emplace_back(1, digit);
  if (digits != std::string::npos) labels.push_back(text.substr(digits + 1));
  return labels;
}

/// Returns the id as a label; where ids may be more than labels, this one may be none.
Result<std::string> ClearLabel(const identity::Subject& subject) {
  return identity::Subject::Parse(SubjectForm::kLabel, subject.text()).map([](const identity::Subject& label) { return label.text(); });
}

}  // namespace

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

identity::SubjectForm FormOf(NamespaceKind kind, const Layout& layout, LabelPrivacy labels) {
  if (kind == NamespaceKind::kService) return SubjectForm::kApex;
  if (kind == NamespaceKind::kMailKey || kind == NamespaceKind::kMailCertificate) return SubjectForm::kMailbox;
  if (layout.kind == LayoutKind::kEnum) return FormOfIds(layout.form);
  switch (labels) {
    case LabelPrivacy::kClear: return SubjectForm::kLabel;
    case LabelPrivacy::kPrivate: return kind == NamespaceKind::kUser ? SubjectForm::kUser : SubjectForm::kOpaque;
    case LabelPrivacy::kChosen: return SubjectForm::kUser;
  }
  InvariantBroken("label privacy is one of the three", __FILE__, __LINE__);
}

Result<dns::Name> OwnerName(const Layout& layout, const dns::Name& apex, const identity::Subject& subject,
                            const std::optional<std::string>& private_label) {
  if (subject.form() == SubjectForm::kApex) return apex;
  // RFC 7929 §3 item 2, RFC 8162 §3 item 2: SHA-256 of the local part "truncated to 28 octets", in hexadecimal.
  if (subject.form() == SubjectForm::kMailbox) return Below(apex, {HexEncode(Sha256(subject.text()).substr(0, kMailboxHashOctets))});
  if (layout.kind == LayoutKind::kEnum) {
    if (private_label) return Fail(Reason::kIdNotCarriedByLayout, "label_privacy", "clear, for an enum layout shows its digits", "private");
    return Below(apex, EnumLabels(subject));
  }
  const auto first = private_label ? Result<std::string>(*private_label) : ClearLabel(subject);
  if (!first) return tl::unexpected(first.error());
  if (layout.kind == LayoutKind::kTree && layout.width > 0) return Below(apex, {HexEncode(Sha256(*first)).substr(0, layout.width), *first});
  return Below(apex, {*first});
}

}  // namespace idzone::zone
