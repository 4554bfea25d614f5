// SPDX-License-Identifier: MIT
#include "services/core/base/octets.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "services/core/base/deleter.h"
#include "services/core/base/error.h"

namespace idzone {
namespace {

/// What each character is worth as one of the digits, given in lower case, in either case; -1: it is none.
constexpr std::array<std::int8_t, 256> ValuesOf(std::string_view digits) {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char digit = digits[i];
    values[static_cast<std::uint8_t>(digit)] = static_cast<std::int8_t>(i);
    if (digit >= 'a') values[static_cast<std::uint8_t>(digit - 'a' + 'A')] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr auto kHexValues = ValuesOf(kHexDigits);
constexpr std::string_view kBase32Digits = "0123456789abcdefghijklmnopqrstuv";
constexpr auto kBase32Values = ValuesOf(kBase32Digits);

int HexValue(char c) {
  return kHexValues[static_cast<std::uint8_t>(c)];
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

template <typename Number>
void AppendBigEndian(Octets& out, Number value) {
  char octets[sizeof(Number)];
  for (std::size_t i = 0; i < sizeof(Number); ++i) octets[i] = static_cast<char>(value >> 8 * (sizeof(Number) - 1 - i));
  out.append(octets, sizeof(Number));
}

template <typename Number>
Number BigEndian(OctetsView octets) {
  std::uint64_t value = 0;
  for (char c : octets) value = (value << 8) | static_cast<std::uint8_t>(c);
  return static_cast<Number>(value);
}

/// One digest algorithm and a context for it, kept: to look the algorithm up for each digest costs more than a short digest.
class Digester {
 public:
  explicit Digester(const char* algorithm) : algorithm_(EVP_MD_fetch(nullptr, algorithm, nullptr)), context_(EVP_MD_CTX_new()) {
    IDZONE_INVARIANT(algorithm_ != nullptr && context_ != nullptr, "OpenSSL has SHA-1 and SHA-2");
  }

  Octets Digest(OctetsView octets) {
    Octets digest(static_cast<std::size_t>(EVP_MD_get_size(algorithm_.get())), '\0');
    const bool done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1;
    IDZONE_INVARIANT(done, "a digest in memory cannot fail");
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD, Deleter<EVP_MD_free>> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context_;
};

}  // namespace

std::string HexEncode(OctetsView octets) {
  std::string hex(octets.size() * 2, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(octets[i]);
    hex[2 * i] = kHexDigits[octet >> 4];
    hex[2 * i + 1] = kHexDigits[octet & 15];
  }
  return hex;
}

Result<Octets> HexDecode(std::string_view hex, std::string_view subject) {
  if (hex.size() % 2 != 0)
    return Fail(Reason::kValueMalformed, std::string(subject), "an even number of hex digits", std::to_string(hex.size()));
  Octets octets(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const int octet = HexValue(hex[2 * i]) * 16 | HexValue(hex[2 * i + 1]);
    if (octet < 0)
      return Fail(Reason::kValueMalformed, std::string(subject), "hex digits", "another character at " + std::to_string(2 * i));
    octets[i] = static_cast<char>(octet);
  }
  return octets;
}

std::string Base32HexEncode(OctetsView octets) {
  std::string text((octets.size() * 8 + 4) / 5, '\0');
  char* out = text.data();
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : octets) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    count += 8;
    while (count >= 5) {
      count -= 5;
      *out++ = kBase32Digits[bits >> count & 31];
    }
  }
  if (count > 0) *out = kBase32Digits[bits << (5 - count) & 31];
  return text;
}

std::optional<Octets> Base32HexDecode(std::string_view text) {
  Octets octets(text.size() * 5 / 8, '\0');
  char* out = octets.data();
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::int8_t value = kBase32Values[static_cast<std::uint8_t>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 5 | static_cast<std::uint32_t>(value);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    *out++ = static_cast<char>(bits >> count & 0xff);
  }
  if (count >= 5 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return octets;
}

std::string Base64Encode(OctetsView octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(octets.data()),
                                   static_cast<int>(octets.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<Octets> Base64Decode(std::string_view text, std::string_view subject) {
  if (text.size() % 4 != 0)
    return Fail(Reason::kValueMalformed, std::string(subject), "base64 in groups of four", std::to_string(text.size()) + " characters");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  Octets octets;
  octets.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int value = at + padding < text.size() ? Base64Value(text[at]) : 0;
    if (value < 0) return Fail(Reason::kValueMalformed, std::string(subject), "base64", "another character at " + std::to_string(at + 1));
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (at % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) octets.push_back(static_cast<char>(bits >> shift & 0xff));
    bits = 0;
  }
  // What padding stands for was written as zeros; any other bit there is a second spelling of the same octets.
  if (octets.find_first_not_of('\0', octets.size() - padding) != Octets::npos)
    return Fail(Reason::kValueMalformed, std::string(subject), "base64 without bits left over", "some");
  octets.resize(octets.size() - padding);
  return octets;
}

Octets Sha256(OctetsView octets) {
  static thread_local Digester digester("SHA256");
  return digester.Digest(octets);
}

Octets Sha512(OctetsView octets) {
  static thread_local Digester digester("SHA512");
  return digester.Digest(octets);
}

Octets Sha1(OctetsView octets) {
  static thread_local Digester digester("SHA1");
  return digester.Digest(octets);
}

void OctetWriter::U8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
}
void OctetWriter::U16(std::uint16_t value) {
  AppendBigEndian(out_, value);
}
void OctetWriter::U32(std::uint32_t value) {
  AppendBigEndian(out_, value);
}
void OctetWriter::U64(std::uint64_t value) {
  AppendBigEndian(out_, value);
}

void OctetWriter::U8Sized(OctetsView octets) {
  IDZONE_INVARIANT(octets.size() <= 0xff, "an 8-bit length holds at most 255 octets");
  U8(static_cast<std::uint8_t>(octets.size()));
  Raw(octets);
}

void OctetWriter::U16Sized(OctetsView octets) {
  IDZONE_INVARIANT(octets.size() <= 0xffff, "a 16-bit length holds at most 65,535 octets");
  U16(static_cast<std::uint16_t>(octets.size()));
  Raw(octets);
}

void OctetWriter::U32Sized(OctetsView octets) {
  IDZONE_INVARIANT(octets.size() <= 0xffffffff, "a 32-bit length holds at most 2^32-1 octets");
  U32(static_cast<std::uint32_t>(octets.size()));
  Raw(octets);
}

std::uint8_t OctetReader::U8() {
  return BigEndian<std::uint8_t>(Raw(1));
}
std::uint16_t OctetReader::U16() {
  return BigEndian<std::uint16_t>(Raw(2));
}
std::uint32_t OctetReader::U32() {
  return BigEndian<std::uint32_t>(Raw(4));
}
std::uint64_t OctetReader::U64() {
  return BigEndian<std::uint64_t>(Raw(8));
}

OctetsView OctetReader::Raw(std::size_t count) {
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const OctetsView octets = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return octets;
}

}  // namespace idzone
