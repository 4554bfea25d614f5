// SPDX-License-Identifier: MIT
#include "services/core/identity/openpgp_armor.h"

#include <optional>

namespace idzone::identity {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kFirstLine = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kLastLine = "-----END PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kSpace = " \t\r\n";

tl::unexpected<Error> Malformed(std::string expected, std::string met) {
  return Fail(Reason::kMaterialMalformed, std::string(kOpenPgpField), std::move(expected), std::move(met));
}

/// Returns the next line without the white space at its end, and removes it from the text.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  const std::size_t last = line.find_last_not_of(kSpace);
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

/// RFC 4880 §6.1.
Octets Crc24(OctetsView octets) {
  constexpr std::uint32_t kInitial = 0xb704ce;
  constexpr std::uint32_t kPolynomial = 0x1864cfb;
  std::uint32_t crc = kInitial;
  for (const char octet : octets) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(octet)) << 16;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1;
      if ((crc & 0x1000000) != 0) crc ^= kPolynomial;
    }
  }
  Octets sum;
  for (const int shift : {16, 8, 0}) sum.push_back(static_cast<char>(crc >> shift & 0xff));
  return sum;
}

/// Requires: the text holds "-----BEGIN ".
Result<void> CheckBlocks(std::string_view text) {
  const std::size_t begin = text.find(kBegin);
  const std::string_view label =
      text.substr(begin + kBegin.size(), text.find_first_of("-\r\n", begin + kBegin.size()) - begin - kBegin.size());
  if (label.find("PRIVATE KEY") != std::string_view::npos)
    return Fail(Reason::kMaterialWrongKind, std::string(kOpenPgpField), "a public key (gpg --export)",
                "a secret key, which must never leave its owner");
  if (label != "PGP PUBLIC KEY BLOCK")
    return Fail(Reason::kMaterialWrongKind, std::string(kOpenPgpField), "a PGP PUBLIC KEY BLOCK",
                "a block " + std::string(label.substr(0, 40)));
  if (text.substr(0, begin).find_first_not_of(kSpace) != std::string_view::npos) return Malformed("nothing in front of the block", "text");
  if (text.find(kBegin, begin + 1) != std::string_view::npos)
    return Fail(Reason::kMaterialTrailingBytes, std::string(kOpenPgpField), "exactly one PGP PUBLIC KEY BLOCK", "another block after it");
  return {};
}

}  // namespace

bool IsArmored(OctetsView octets) {
  return octets.find(kBegin) != OctetsView::npos;
}

Result<Octets> Dearmor(std::string_view text) {
  if (auto checked = CheckBlocks(text); !checked) return tl::unexpected(checked.error());
  text.remove_prefix(text.find(kBegin));
  if (TakeLine(text) != kFirstLine) return Malformed(std::string(kFirstLine), "a first line that goes on");
  // Headers ("Comment: …") end with a blank line.
  auto line = TakeLine(text);
  while (line && line->find(": ") != std::string_view::npos) line = TakeLine(text);
  if (!line || !line->empty()) return Malformed("a blank line before the key", line ? "another line" : "the end");
  std::string base64;
  std::optional<std::string_view> sum;
  while ((line = TakeLine(text)) && *line != kLastLine) {
    if (sum) return Malformed("the end after the checksum", "another line");
    if (line->starts_with('='))
      sum = line->substr(1);
    else
      base64 += *line;
  }
  if (!line) return Malformed(std::string(kLastLine), "the end of the text");
  if (text.find_first_not_of(kSpace) != std::string_view::npos)
    return Fail(Reason::kMaterialTrailingBytes, std::string(kOpenPgpField), "nothing after the block",
                std::to_string(text.size()) + " octets");
  auto octets = Base64Decode(base64, kOpenPgpField);
  if (!octets) return Malformed(octets.error().expected, octets.error().met);
  if (sum && Base64Encode(Crc24(*octets)) != *sum) return Malformed("checksum =" + Base64Encode(Crc24(*octets)), "another one");
  return octets;
}

}  // namespace idzone::identity
