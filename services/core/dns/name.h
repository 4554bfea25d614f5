// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/base/octets.h"

namespace idzone::dns {

/// An absolute domain name: 1 to 255 octets of wire form, each label 1 to 63 octets, letters in lower case.
/// A Name cannot be malformed; comparing two of them is the canonical order of RFC 4034 §6.1.
/// Source: RFC 1035 §2.3.4 and §3.1, RFC 4343 (case), RFC 4034 §6.2 (lower case).
class Name {
 public:
  /// The root.
  Name() : wire_(1, '\0') {}

  /// Reads presentation form (RFC 1035 §5.1): `\DDD` and `\X` escapes; with or without the final dot.
  /// NAME_MALFORMED names `subject` and what is wrong with the text.
  static Result<Name> Parse(std::string_view text, std::string_view subject = "name");

  /// Reads uncompressed wire form that must be exactly one name.
  static Result<Name> FromWire(OctetsView wire, std::string_view subject = "name");

  /// Reads one uncompressed name from the front of `wire` and removes it from there.
  static Result<Name> TakeFromWire(OctetsView& wire, std::string_view subject = "name");

  /// Returns the name with one more label in front. Fails when the label or the name gets too long.
  Result<Name> Prepend(OctetsView label) const;

  /// Returns the name without its first label. Requires: not the root.
  Name Parent() const;

  /// Returns the first label's octets; empty for the root.
  OctetsView FirstLabel() const;
  /// Returns the labels in the order of the text, without the root's.
  std::vector<OctetsView> Labels() const;

  /// Returns the number of labels, the root's not counted.
  std::size_t label_count() const;
  /// Returns the "labels" field of an RRSIG: neither the root nor a leading `*` counts (RFC 4034 §3.1.3).
  std::size_t rrsig_label_count() const { return label_count() - (IsWildcard() ? 1 : 0); }

  bool IsRoot() const { return wire_.size() == 1; }
  bool IsWildcard() const { return FirstLabel() == "*"; }
  bool IsAtOrBelow(const Name& ancestor) const;

  /// Returns the wire form, lower case.
  const Octets& wire() const { return wire_; }

  /// Returns presentation form with the final dot; octets outside printable ASCII become `\DDD`.
  std::string Format() const;

  /// RFC 4034 §6.1: by labels from the right, octet by octet, absent before present.
  friend std::strong_ordering operator<=>(const Name& left, const Name& right);
  friend bool operator==(const Name& left, const Name& right) { return left.wire_ == right.wire_; }

 private:
  explicit Name(Octets wire) : wire_(std::move(wire)) {}

  Octets wire_;
};

}  // namespace idzone::dns

template <>
struct std::hash<idzone::dns::Name> {
  std::size_t operator()(const idzone::dns::Name& name) const { return std::hash<std::string>()(name.wire()); }
};
