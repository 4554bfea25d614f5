// SPDX-License-Identifier: MIT
#include "cli/input.h"

#include <fstream>
#include <iostream>

#include "services/core/base/limits.h"

namespace idzone::cli {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN ";

Result<Octets> ReadStream(std::istream& stream, const std::string& subject) {
  Octets octets(limits::kMaterialOctetsMax + 1, '\0');
  stream.read(octets.data(), static_cast<std::streamsize>(octets.size()));
  octets.resize(static_cast<std::size_t>(stream.gcount()));
  if (octets.size() > limits::kMaterialOctetsMax) return Fail(Reason::kLimitExceeded, subject, "at most 16 KiB", "more");
  if (octets.empty()) return Fail(Reason::kMaterialMissing, subject, "a certificate, request or key", "an empty file");
  return octets;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

Result<Octets> ReadMaterialFile(const std::filesystem::path& file) {
  if (file == "-") return ReadStream(std::cin, "standard input");
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return Fail(Reason::kNotFound, file.string(), "a file", error ? error.message() : "no regular file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(Reason::kNotFound, file.string(), "a readable file", "it cannot be opened");
  return ReadStream(stream, file.string());
}

Result<Octets> MaterialFromText(const std::string& text, std::string_view subject) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string::npos && text.compare(begin, kPemBegin.size(), kPemBegin) == 0) return text;
  Octets octets;
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (IsBlank(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = Base64Value(c);
    if (value < 0 || padding > 0)
      return Fail(Reason::kMaterialMalformed, std::string(subject), "PEM text, armor or base64", "something else");
    ++digits;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      octets.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  // RFC 4648 §4: groups of four; "=" fills the last one.
  if (octets.empty() || (digits + padding) % 4 != 0 || padding > 2)
    return Fail(Reason::kMaterialMalformed, std::string(subject), "PEM text, armor or base64", "something else");
  return octets;
}

}  // namespace idzone::cli
