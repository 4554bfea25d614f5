// SPDX-License-Identifier: MIT
#include "services/core/dns/name.h"

#include <algorithm>

#include "services/core/base/limits.h"

namespace idzone::dns {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

tl::unexpected<Error> Malformed(std::string_view subject, std::string expected, std::string met) {
  return Fail(Reason::kNameMalformed, std::string(subject), std::move(expected), std::move(met));
}

/// Reads the octet after a backslash; moves `at` to its last character.
Result<char> TakeEscape(std::string_view text, std::size_t& at, std::string_view subject) {
  if (at + 1 >= text.size()) return Malformed(subject, "a character after the backslash", "the end of the text");
  ++at;
  if (!IsDigit(text[at])) return text[at];
  if (at + 2 >= text.size() || !IsDigit(text[at + 1]) || !IsDigit(text[at + 2]))
    return Malformed(subject, "three digits after the backslash", std::string(text.substr(at, 3)));
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  if (value > 255) return Malformed(subject, "an escape of at most \\255", std::string(text.substr(at - 1, 4)));
  at += 2;
  return static_cast<char>(value);
}

}  // namespace

Result<Name> Name::Parse(std::string_view text, std::string_view subject) {
  if (text.empty()) return Malformed(subject, "a domain name", "an empty text");
  if (text.size() > limits::kNameTextMax) return Malformed(subject, "at most 255 octets", std::to_string(text.size()) + " characters");
  if (text == ".") return Name();
  Octets wire;
  Octets label;
  const auto end_label = [&]() -> Result<void> {
    if (label.empty()) return Malformed(subject, "labels of 1 to 63 octets", "an empty label");
    if (label.size() > limits::kLabelOctetsMax)
      return Malformed(subject, "labels of 1 to 63 octets", "a label of " + std::to_string(label.size()));
    OctetWriter(wire).U8Sized(label);
    label.clear();
    return {};
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '.') {
      if (auto ended = end_label(); !ended) return tl::unexpected(ended.error());
      continue;
    }
    if (text[at] == '\\') {
      auto octet = TakeEscape(text, at, subject);
      if (!octet) return tl::unexpected(octet.error());
      label.push_back(Lower(*octet));
    } else {
      label.push_back(Lower(text[at]));
    }
  }
  if (!label.empty()) {
    if (auto ended = end_label(); !ended) return tl::unexpected(ended.error());
  }
  wire.push_back('\0');
  if (wire.size() > limits::kNameOctetsMax) return Malformed(subject, "at most 255 octets", std::to_string(wire.size()) + " octets");
  return Name(std::move(wire));
}

Result<Name> Name::FromWire(OctetsView wire, std::string_view subject) {
  auto name = TakeFromWire(wire, subject);
  if (name && !wire.empty()) return Malformed(subject, "one name", std::to_string(wire.size()) + " octets after it");
  return name;
}

Result<Name> Name::TakeFromWire(OctetsView& wire, std::string_view subject) {
  std::size_t at = 0;
  while (true) {
    if (at >= wire.size()) return Malformed(subject, "a name that ends with the root label", "the end of the octets");
    const auto length = static_cast<std::uint8_t>(wire[at]);
    if (length > limits::kLabelOctetsMax)
      return Malformed(subject, "labels of 1 to 63 octets, uncompressed", "length octet " + std::to_string(length));
    at += 1 + static_cast<std::size_t>(length);
    if (at > limits::kNameOctetsMax) return Malformed(subject, "at most 255 octets", "more");
    if (length == 0) break;
  }
  if (at > wire.size()) return Malformed(subject, "a name that ends with the root label", "the end of the octets");
  Octets lower(wire.substr(0, at));
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  wire.remove_prefix(at);
  return Name(std::move(lower));
}

Result<Name> Name::Prepend(OctetsView label) const {
  if (label.empty() || label.size() > limits::kLabelOctetsMax) return Malformed("label", "1 to 63 octets", std::to_string(label.size()));
  Octets wire;
  wire.reserve(wire_.size() + label.size() + 1);
  OctetWriter(wire).U8Sized(label);
  std::transform(wire.begin() + 1, wire.end(), wire.begin() + 1, Lower);
  wire += wire_;
  if (wire.size() > limits::kNameOctetsMax) return Malformed("name", "at most 255 octets", std::to_string(wire.size()) + " octets");
  return Name(std::move(wire));
}

Name Name::Parent() const {
  IDZONE_INVARIANT(!IsRoot(), "the root has no parent");
  return Name(wire_.substr(1 + static_cast<std::uint8_t>(wire_[0])));
}

OctetsView Name::FirstLabel() const {
  return OctetsView(wire_).substr(1, static_cast<std::uint8_t>(wire_[0]));
}

std::vector<OctetsView> Name::Labels() const {
  std::vector<OctetsView> labels;
  for (std::size_t at = 0; wire_[at] != '\0';) {
    const auto length = static_cast<std::uint8_t>(wire_[at]);
    labels.push_back(OctetsView(wire_).substr(at + 1, length));
    at += 1 + static_cast<std::size_t>(length);
  }
  return labels;
}

std::size_t Name::label_count() const {
  std::size_t count = 0;
  for (std::size_t at = 0; wire_[at] != '\0'; ++count) at += 1 + static_cast<std::size_t>(static_cast<std::uint8_t>(wire_[at]));
  return count;
}

bool Name::IsAtOrBelow(const Name& ancestor) const {
  if (wire_.size() < ancestor.wire_.size()) return false;
  const std::size_t start = wire_.size() - ancestor.wire_.size();
  std::size_t at = 0;
  while (at < start) at += 1 + static_cast<std::size_t>(static_cast<std::uint8_t>(wire_[at]));
  return at == start && OctetsView(wire_).substr(start) == ancestor.wire_;
}

std::string Name::Format() const {
  if (IsRoot()) return ".";
  std::string text;
  for (const OctetsView label : Labels()) {
    for (const char c : label) {
      const auto octet = static_cast<std::uint8_t>(c);
      if (octet < 0x21 || octet > 0x7e) {
        const std::string digits = std::to_string(octet);
        text += '\\' + std::string(3 - digits.size(), '0') + digits;
      } else {
        // RFC 1035 §5.1: characters with a meaning in zone files are quoted.
        if (std::string_view(".\\\"();@$").find(c) != std::string_view::npos) text += '\\';
        text += c;
      }
    }
    text += '.';
  }
  return text;
}

std::strong_ordering operator<=>(const Name& left, const Name& right) {
  const auto left_labels = left.Labels();
  const auto right_labels = right.Labels();
  auto l = left_labels.rbegin();
  auto r = right_labels.rbegin();
  for (; l != left_labels.rend() && r != right_labels.rend(); ++l, ++r) {
    // std::string_view compares octets as unsigned char, as RFC 4034 §6.1 wants.
    if (const int order = l->compare(*r); order != 0) return order < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return left_labels.size() <=> right_labels.size();
}

}  // namespace idzone::dns
