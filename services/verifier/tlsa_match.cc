// SPDX-License-Identifier: MIT
#include "services/verifier/tlsa_match.h"

#include <algorithm>
#include <array>
#include <optional>

namespace idzone::verifier {
namespace {

// RFC 7218 §2.
constexpr std::uint8_t kDaneTa = 2;
constexpr std::uint8_t kDaneEe = 3;
constexpr std::uint8_t kCertificate = 0;
constexpr std::uint8_t kSpki = 1;
constexpr std::uint8_t kFull = 0;
constexpr std::uint8_t kSha256 = 1;
constexpr std::uint8_t kSha512 = 2;

struct Tlsa {
  std::uint8_t usage;
  std::uint8_t selector;
  std::uint8_t matching;
  OctetsView data;
};

std::optional<Tlsa> Decode(OctetsView rdata) {
  OctetReader reader(rdata);
  Tlsa record{.usage = reader.U8(), .selector = reader.U8(), .matching = reader.U8(), .data = {}};
  record.data = reader.Raw(reader.remaining());
  if (!reader.ok() || record.data.empty()) return std::nullopt;
  return record;
}

std::string Numbers(const Tlsa& record) {
  return std::to_string(record.usage) + ' ' + std::to_string(record.selector) + ' ' + std::to_string(record.matching);
}

/// Returns why a record cannot be compared; empty when it can.
std::string WhyUnusable(const Tlsa& record) {
  if (record.usage == kDaneTa) return "usage 2 (DANE-TA) is not supported: it needs the peer's whole certificate chain";
  if (record.usage < kDaneTa) return "usage " + std::to_string(record.usage) + " (PKIX) is not supported";
  if (record.usage != kDaneEe) return "usage " + std::to_string(record.usage) + " is unknown";
  if (record.selector > kSpki) return "selector " + std::to_string(record.selector) + " is unknown";
  if (record.matching > kSha512) return "matching type " + std::to_string(record.matching) + " is unknown";
  // RFC 6698 §2.1.3: a digest of another length can match nothing; it must not outrank a sound weaker one either.
  if (record.matching == kSha256 && record.data.size() != 32)
    return "a SHA-256 digest has 32 octets, not " + std::to_string(record.data.size());
  if (record.matching == kSha512 && record.data.size() != 64)
    return "a SHA-512 digest has 64 octets, not " + std::to_string(record.data.size());
  return {};
}

Octets Matched(std::uint8_t matching, const Octets& selected) {
  if (matching == kFull) return selected;
  return matching == kSha256 ? Sha256(selected) : Sha512(selected);
}

}  // namespace

Match MatchTlsa(const std::vector<Octets>& rdatas, const identity::KeyMaterial& key) {
  Match finding;
  std::vector<Tlsa> usable;
  std::string unusable;
  for (const Octets& rdata : rdatas) {
    const std::optional<Tlsa> record = Decode(rdata);
    const std::string why = record ? WhyUnusable(*record) : "it is shorter than a TLSA record can be";
    if (why.empty()) {
      usable.push_back(*record);
    } else {
      unusable = "record " + FormatTlsa(rdata).substr(0, 40) + " cannot be used: " + why;
    }
  }
  finding.usable = usable.size();
  if (usable.empty()) {
    finding.why = unusable.empty() ? "there is no record" : unusable;
    return finding;
  }

  // RFC 7671 §9: of the digests of one usage and selector only the strongest counts, so that a forged weak digest
  // beside a strong one is of no use. Matching type 0 is no digest and always counts.
  std::array<std::uint8_t, 2> strongest{};
  for (const Tlsa& record : usable) strongest[record.selector] = std::max(strongest[record.selector], record.matching);

  bool needs_certificate = false;
  for (const Tlsa& record : usable) {
    if (record.matching != kFull && record.matching < strongest[record.selector]) continue;
    if (record.selector == kCertificate && key.certificate().empty()) {
      needs_certificate = true;
      continue;
    }
    // RFC 6698 §2.1.2: selector 1 is the DER SubjectPublicKeyInfo, selector 0 the DER certificate.
    const Octets& selected = record.selector == kSpki ? key.spki() : key.certificate();
    if (Matched(record.matching, selected) != record.data) continue;
    finding.matched = true;
    finding.why = "the key matches " + Numbers(record);
    return finding;
  }
  finding.why = needs_certificate ? "the records are of the certificate (selector 0); a bare key cannot be compared with them"
                                  : "the key is another one than the records name";
  return finding;
}

std::string FormatTlsa(OctetsView rdata) {
  const std::optional<Tlsa> record = Decode(rdata);
  return record ? Numbers(*record) + ' ' + HexEncode(record->data) : HexEncode(rdata);
}

}  // namespace idzone::verifier
