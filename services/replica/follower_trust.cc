// SPDX-License-Identifier: MIT
#include "services/replica/follower_trust.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/signature_check.h"

namespace idzone::replica {
namespace {

constexpr std::size_t kDigestOctets = 32;
constexpr std::size_t kDsOctets = 4 + kDigestOctets;
constexpr char kDigestSha256 = 2;
constexpr std::size_t kFileOctetsMax = 4UL * 1024 * 1024;
/// RFC 4034 §2.1.1: flag bit 7 is "zone key", bit 15 "secure entry point".
constexpr unsigned kZoneKeyAndSep = 0x0101;
/// RFC 5011 §3: a key with this bit is no longer trusted.
constexpr unsigned kRevoked = 0x0080;

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> Words(std::string_view line) {
  std::istringstream stream{std::string(line.substr(0, line.find_first_of(";#")))};
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

/// Reads the four fields of DS RDATA that follow the word DS; the digest may be in several pieces.
Result<Octets> ParseDs(const std::vector<std::string>& words, std::size_t at, const std::string& subject) {
  if (words.size() < at + 4) return Fail(Reason::kValueMalformed, subject, "key tag, algorithm, digest type, digest", "fewer");
  const auto tag = ParseNumber<std::uint16_t>(words[at]);
  const auto algorithm = ParseNumber<std::uint8_t>(words[at + 1]);
  if (!tag || !algorithm || words[at + 2] != "2")
    return Fail(Reason::kValueMalformed, subject, "a key tag, an algorithm number and digest type 2 (SHA-256)",
                words[at] + " " + words[at + 1] + " " + words[at + 2]);
  std::string hex;
  for (std::size_t i = at + 3; i < words.size(); ++i) hex += words[i];
  const auto digest = HexDecode(hex, subject);
  if (!digest || digest->size() != kDigestOctets) return Fail(Reason::kValueMalformed, subject, "64 hex digits", hex);
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U16(*tag);
  writer.U8(*algorithm);
  writer.U8(2);
  writer.Raw(*digest);
  return rdata;
}

unsigned FlagsOf(const Octets& dnskey) {
  return OctetReader(dnskey).U16();
}

/// Stands before pins that were learnt from anchors: what those said.
Octets OriginOf(const std::vector<Octets>& anchored) {
  Octets all;
  for (const Octets& pin : anchored) all += pin;
  return "A" + Sha256(all);
}

bool MaySign(const Octets& dnskey) {
  return dnskey.size() > 4 && (FlagsOf(dnskey) & kZoneKeyAndSep) == kZoneKeyAndSep && (FlagsOf(dnskey) & kRevoked) == 0;
}

}  // namespace

Result<AnchorSet> AnchorSet::Read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(Reason::kNotFound, "replica.anchors_file", "a readable file of DS records", file.string());
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (text.size() > kFileOctetsMax) return Fail(Reason::kValueMalformed, file.string(), "at most 4 MiB", std::to_string(text.size()));
  return Parse(text, file.string());
}

Result<AnchorSet> AnchorSet::Parse(std::string_view text, const std::string& subject) {
  AnchorSet anchors;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const std::string place = subject + ":" + std::to_string(number);
    const std::vector<std::string> words = Words(line);
    if (words.empty()) continue;
    const auto ds = std::find_if(words.begin() + 1, words.end(), [](const std::string& word) { return word == "DS" || word == "ds"; });
    if (ds == words.end() || ds - words.begin() > 3) return Fail(Reason::kValueMalformed, place, "owner [TTL] [IN] DS …", line);
    auto zone = dns::Name::Parse(words.front(), place);
    if (!zone) return tl::unexpected(zone.error());
    auto rdata = ParseDs(words, static_cast<std::size_t>(ds - words.begin()) + 1, place);
    if (!rdata) return tl::unexpected(rdata.error());
    anchors.pins_[*zone].push_back(std::move(*rdata));
  }
  return anchors;
}

std::vector<Octets> AnchorSet::Pins(const dns::Name& zone) const {
  const auto found = pins_.find(zone);
  return found == pins_.end() ? std::vector<Octets>() : found->second;
}

std::vector<Octets> PinsOf(const dns::Name& zone, const dns::RrSet& dnskeys) {
  std::vector<Octets> pins;
  for (const Octets& dnskey : dnskeys.rdatas) {
    if (MaySign(dnskey)) pins.push_back(dns::EncodeDs(zone, dnskey));
  }
  return pins;
}

std::vector<Octets> TrustedPins(const std::optional<AnchorSet>& anchors, const dns::Name& zone, const std::vector<Octets>& kept) {
  std::vector<Octets> pins;
  std::copy_if(kept.begin(), kept.end(), std::back_inserter(pins), [](const Octets& pin) { return pin.size() == kDsOctets; });
  if (!anchors) return pins;
  const std::vector<Octets> anchored = anchors->Pins(zone);
  if (!anchored.empty() && !kept.empty() && kept.front() == OriginOf(anchored)) return pins;
  return anchored;
}

std::vector<Octets> PinsToKeep(const std::optional<AnchorSet>& anchors, const dns::Name& zone, const std::vector<dns::RrSet>& apex) {
  std::vector<Octets> pins;
  for (const dns::RrSet& rrset : apex) {
    if (rrset.type == dns::RrType::kDnskey) pins = PinsOf(zone, rrset);
  }
  for (const dns::RrSet& rrset : apex) {
    if (rrset.type != dns::RrType::kCds) continue;
    // RFC 7344 §3.1: CDS has the form of DS. The sign for "no DS" (RFC 8078 §4) has another size.
    for (const Octets& cds : rrset.rdatas) {
      const bool known = std::find(pins.begin(), pins.end(), cds) != pins.end();
      if (cds.size() == kDsOctets && cds[3] == kDigestSha256 && !known) pins.push_back(cds);
    }
  }
  if (anchors) pins.insert(pins.begin(), OriginOf(anchors->Pins(zone)));
  return pins;
}

Result<dns::RrsigFields> CheckKeys(const dns::Name& zone, const dns::RrSet& dnskeys, const std::vector<Octets>& pins, UnixTime now) {
  std::vector<Octets> pinned;
  for (const Octets& dnskey : dnskeys.rdatas) {
    if (MaySign(dnskey) && std::find(pins.begin(), pins.end(), dns::EncodeDs(zone, dnskey)) != pins.end()) pinned.push_back(dnskey);
  }
  if (pinned.empty())
    return Fail(Reason::kKeyNotPinned, "DNSKEY of " + zone.Format(), "a key that is pinned, of " + std::to_string(pins.size()) + " pins",
                "none");
  // Further signatures, by keys that are not pinned, may be there; one by a pinned key is needed.
  Error last{Reason::kSignatureInvalid, "DNSKEY of " + zone.Format(), "a signature by a pinned key", "none"};
  for (const Octets& rrsig : dnskeys.rrsigs) {
    const auto checked = dns::CheckSignature(zone, dns::RrType::kDnskey, dnskeys.ttl, dnskeys.rdatas, rrsig, zone, pinned, now);
    if (checked) return dns::ParseRrsig(rrsig);
    last = checked.error();
  }
  return tl::unexpected(last);
}

}  // namespace idzone::replica
