// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "services/core/dns/name.h"

namespace idzone::verifier {

/// A DS or DNSKEY record, whose key is believed without proof.
struct TrustAnchor {
  dns::Name zone;
  std::string line;  // the record in master file form, one line
};

/// The size that a file of trust anchors may have: the root's is 2 KiB; 64 KiB is hundreds of zones.
inline constexpr std::size_t kTrustAnchorFileOctetsMax = 64 * 1024;

/// Reads master file lines: DS and DNSKEY records, fully qualified or not, one a line; comments and records of other
/// types are left out, so that the output of `idzone zone ds` is such a file. Whether a record's data is sound is for the
/// resolver to say, which refuses it with the line.
/// VALUE_MALFORMED, LIMIT_EXCEEDED, VALUE_MISSING (no such record at all).
Result<std::vector<TrustAnchor>> ParseTrustAnchors(std::string_view text, std::string_view subject);

/// NOT_FOUND when the file cannot be read, and what ParseTrustAnchors says.
Result<std::vector<TrustAnchor>> ReadTrustAnchors(const std::filesystem::path& file);

}  // namespace idzone::verifier
