// SPDX-License-Identifier: MIT
#include "services/verifier/trust_anchor.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace idzone::verifier {
namespace {

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool IsTtlOrClass(const std::string& word) {
  return Upper(word) == "IN" || std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

Result<std::vector<TrustAnchor>> ParseTrustAnchors(std::string_view text, std::string_view subject) {
  std::vector<TrustAnchor> anchors;
  std::istringstream stream{std::string(text)};
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    line = line.substr(0, line.find(';'));
    const std::vector<std::string> words = Words(line);
    if (words.empty()) continue;
    const std::string place = std::string(subject) + ":" + std::to_string(number);
    // owner [TTL] [class] type data…, in master file order (RFC 1035 §5.1).
    std::size_t type = 1;
    while (type < words.size() && type < 3 && IsTtlOrClass(words[type])) ++type;
    if (type >= words.size()) return Fail(Reason::kValueMalformed, place, "a DS or DNSKEY record", line.substr(0, 80));
    const std::string type_name = Upper(words[type]);
    if (type_name != "DS" && type_name != "DNSKEY") continue;
    if (words.size() < type + 5) return Fail(Reason::kValueMalformed, place, "four fields after " + type_name, line.substr(0, 80));
    Result<dns::Name> zone = dns::Name::Parse(words[0], place);
    if (!zone) return tl::unexpected(zone.error());

    std::string record = zone->Format() + " IN " + type_name;
    for (std::size_t i = type + 1; i < words.size(); ++i) record += ' ' + words[i];
    anchors.push_back({*std::move(zone), std::move(record)});
  }
  if (anchors.empty()) return Fail(Reason::kValueMissing, std::string(subject), "at least one DS or DNSKEY record", "none");
  return anchors;
}

Result<std::vector<TrustAnchor>> ReadTrustAnchors(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(Reason::kNotFound, file.string(), "a readable file of trust anchors", "it cannot be opened");
  std::string text(kTrustAnchorFileOctetsMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kTrustAnchorFileOctetsMax) return Fail(Reason::kLimitExceeded, file.string(), "at most 64 KiB", "more");
  return ParseTrustAnchors(text, file.string());
}

}  // namespace idzone::verifier
