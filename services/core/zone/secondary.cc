// SPDX-License-Identifier: MIT
#include "services/core/zone/secondary.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "services/core/base/limits.h"

namespace idzone::zone {
namespace {

constexpr std::uint64_t kTransferOctetsPerNode = 500;
constexpr std::uint64_t kTransferOctetsPerSecond = 1024 * 1024;
constexpr std::chrono::seconds kShortTtlMax(60);

constexpr std::array kAlgorithms = {TsigAlgorithm::kHmacSha256, TsigAlgorithm::kHmacSha384, TsigAlgorithm::kHmacSha512};

/// Splits at runs of blanks; a comment ends the line.
std::vector<std::string_view> Words(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  for (std::size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos; at = line.find_first_not_of(kBlank, at)) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

bool IsAddress(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return inet_pton(family, text.c_str(), octets.data()) == 1;
}

/// Reads 192.0.2.1, 192.0.2.1:53, 2001:db8::1 or [2001:db8::1]:53.
bool ReadAddress(std::string_view text, Secondary& secondary) {
  std::string_view port;
  bool has_port = false;
  if (text.substr(0, 1) == "[") {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
    secondary.address = text.substr(1, close - 1);
    if (!IsAddress(AF_INET6, secondary.address)) return false;
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    secondary.address = text;
    if (!IsAddress(AF_INET6, secondary.address)) return false;
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    secondary.address = text.substr(0, colon);
    if (!IsAddress(AF_INET, secondary.address)) return false;
  }
  if (!has_port) return true;
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), secondary.port);
  return failure == std::errc() && end == port.data() + port.size() && secondary.port != 0;
}

Result<TsigKey> ReadKey(std::string_view text, const std::string& subject) {
  constexpr std::string_view kForm = "algorithm:name:base64";
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return Fail(Reason::kValueMalformed, subject, "a key " + std::string(kForm), "another form");
  TsigKey key;
  const std::string_view algorithm = text.substr(0, first);
  const auto known =
      std::find_if(kAlgorithms.begin(), kAlgorithms.end(), [&](TsigAlgorithm each) { return TsigAlgorithmName(each) == algorithm; });
  if (known == kAlgorithms.end())
    return Fail(Reason::kEnumUnknown, subject, "hmac-sha256, hmac-sha384 or hmac-sha512", std::string(algorithm.substr(0, 30)));
  key.algorithm = *known;
  auto name = dns::Name::Parse(text.substr(first + 1, second - first - 1), subject);
  if (!name) return tl::unexpected(name.error());
  if (name->IsRoot()) return Fail(Reason::kValueMalformed, subject, "a key with a name", "the root");
  key.name = *std::move(name);
  auto secret = Base64Decode(text.substr(second + 1), subject);
  // What a decoder says may quote the secret.
  if (!secret) return Fail(Reason::kValueMalformed, subject, "a secret in base64", "other characters");
  if (secret->size() < limits::kTsigSecretOctetsMin || secret->size() > limits::kTsigSecretOctetsMax)
    return Fail(
        Reason::kValueMalformed, subject,
        "a secret of " + std::to_string(limits::kTsigSecretOctetsMin) + " to " + std::to_string(limits::kTsigSecretOctetsMax) + " octets",
        std::to_string(secret->size()));
  key.secret = *std::move(secret);
  return key;
}

Result<Secondary> ReadSecondary(const std::vector<std::string_view>& words, const std::string& subject) {
  if (words.size() != 3) return Fail(Reason::kValueMalformed, subject, "id, address and key", std::to_string(words.size()) + " words");
  Secondary secondary;
  if (!IsSecondaryId(words[0])) return Fail(Reason::kValueMalformed, subject, "an id of lower-case letters, digits, - and .", "another");
  secondary.id = words[0];
  if (!ReadAddress(words[1], secondary))
    return Fail(Reason::kValueMalformed, subject, "an address, with or without a port", std::string(words[1].substr(0, 60)));
  auto key = ReadKey(words[2], subject);
  if (!key) return tl::unexpected(key.error());
  secondary.key = *std::move(key);
  return secondary;
}

}  // namespace

bool IsSecondaryId(std::string_view text) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= limits::kOperatorIdMax && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

std::chrono::seconds SecondaryRevocationBound(std::chrono::seconds notify_period, std::uint64_t node_count) {
  return notify_period +
         std::chrono::seconds((node_count * kTransferOctetsPerNode + kTransferOctetsPerSecond - 1) / kTransferOctetsPerSecond);
}

bool IsTooSlowForSecondaries(dns::Ttl policy_ttl, std::chrono::seconds bound) {
  const std::chrono::seconds ttl(policy_ttl);
  return ttl <= kShortTtlMax && bound > ttl;
}

std::string_view TsigAlgorithmName(TsigAlgorithm algorithm) {
  switch (algorithm) {
    case TsigAlgorithm::kHmacSha256: return "hmac-sha256";
    case TsigAlgorithm::kHmacSha384: return "hmac-sha384";
    case TsigAlgorithm::kHmacSha512: break;
  }
  return "hmac-sha512";
}

Result<std::vector<Secondary>> ParseSecondaries(std::string_view text) {
  std::vector<Secondary> secondaries;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto words = Words(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string subject = "list of secondaries, line " + std::to_string(++number);
    if (words.empty()) continue;
    auto secondary = ReadSecondary(words, subject);
    if (!secondary) return tl::unexpected(secondary.error());
    for (const Secondary& other : secondaries) {
      if (other.id == secondary->id) return Fail(Reason::kAlreadyExists, subject, "each id once", other.id);
      if (other.key.name == secondary->key.name)
        return Fail(Reason::kAlreadyExists, subject, "a key of its own for each secondary", other.key.name.Format());
    }
    if (secondaries.size() == limits::kSecondariesMax)
      return Fail(Reason::kLimitExceeded, subject, "at most " + std::to_string(limits::kSecondariesMax) + " secondaries", "more");
    secondaries.push_back(*std::move(secondary));
  }
  return secondaries;
}

}  // namespace idzone::zone
