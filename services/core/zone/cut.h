// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/zone/layout.h"

/// Zone cuts: which names below a namespace are zones of their own. The most specific zone owns a name, for PowerDNS as for us;
/// so a cut is made once, before there are names below it, and stays.
///
///   tree, width 2, with cuts   00._device.acme.example. … ff._device.acme.example.: all of them, from the beginning
///   enum, by command           the prefix 44 16 is the zone 6.1.4.4._user.acme.example.
namespace idzone::zone {

/// Returns how many cuts a tree has: 16 to the power of its width, or 0 where every name is in the namespace's own zone.
std::uint32_t TreeCutCount(const Layout& layout);

/// Returns the tree's cut of that number, in the order of the hex digits: 0 is `00._device.…` at width 2.
/// NAME_MALFORMED when the name would be too long for a zone. Requires: number < TreeCutCount(layout).
Result<dns::Name> TreeCut(const Layout& layout, const dns::Name& apex, std::uint32_t number);

/// Returns the names at which a cut would own `owner`: the owner itself and what is above it, below the apex, the longest first.
/// Of a tree, only one can be a cut. Requires: the owner is at or below the apex.
std::vector<dns::Name> PossibleCuts(const Layout& layout, const dns::Name& apex, const dns::Name& owner);

/// What the ids below a cut of an enum namespace begin with.
struct CutPrefix {
  std::string digits;  // as ids are written: lower case, nothing between them
  dns::Name zone;
};
/// Reads a prefix: digits or nibbles as the form of the ids has them; `+`, `:`, `-`, `.`, blanks and parentheses may stand
/// between them. A GS1 prefix is one of the 14-digit GTIN.
/// VALUE_MALFORMED for another character; VALUE_OUT_OF_RANGE for a prefix as long as an id, or none; NAME_MALFORMED when the name
/// would be too long for a zone. Requires: an enum layout.
Result<CutPrefix> ParseCutPrefix(const Layout& layout, const dns::Name& apex, std::string_view text);

}  // namespace idzone::zone
