// SPDX-License-Identifier: MIT
#include "services/verifier/sshfp_match.h"

#include <optional>

namespace idzone::verifier {
namespace {

// IANA "SSHFP RR types for fingerprint types".
constexpr std::uint8_t kSha1 = 1;
constexpr std::uint8_t kSha256 = 2;
constexpr std::size_t kSha256Octets = 32;

struct Sshfp {
  std::uint8_t algorithm;
  std::uint8_t fingerprint_type;
  OctetsView fingerprint;
};

std::optional<Sshfp> Decode(OctetsView rdata) {
  OctetReader reader(rdata);
  Sshfp record{.algorithm = reader.U8(), .fingerprint_type = reader.U8(), .fingerprint = {}};
  record.fingerprint = reader.Raw(reader.remaining());
  if (!reader.ok() || record.fingerprint.empty()) return std::nullopt;
  return record;
}

/// Returns why a record cannot be compared; empty when it can.
std::string WhyUnusable(const std::optional<Sshfp>& record) {
  if (!record) return "it is shorter than an SSHFP record can be";
  if (record->fingerprint_type == kSha1) return "its fingerprint is SHA-1";
  if (record->fingerprint_type != kSha256) return "fingerprint type " + std::to_string(record->fingerprint_type) + " is unknown";
  if (record->fingerprint.size() != kSha256Octets)
    return "a SHA-256 fingerprint has 32 octets, not " + std::to_string(record->fingerprint.size());
  return {};
}

}  // namespace

Match MatchSshfp(const std::vector<Octets>& rdatas, const identity::KeyMaterial& key) {
  Match match;
  if (key.ssh_blob().empty()) {
    match.why = "the key is no OpenSSH public key";
    return match;
  }
  // RFC 4255 §3.1.3: the fingerprint is calculated over the public key blob of RFC 4253 §6.6.
  const Octets fingerprint = Sha256(key.ssh_blob());
  std::string unusable;
  for (const Octets& rdata : rdatas) {
    const std::optional<Sshfp> record = Decode(rdata);
    if (const std::string why = WhyUnusable(record); !why.empty()) {
      unusable = "record " + FormatSshfp(rdata).substr(0, 40) + " cannot be used: " + why;
      continue;
    }
    ++match.usable;
    // RFC 4255 §2.4: "the algorithm … and the key fingerprint" both have to match.
    if (record->algorithm != key.sshfp_algorithm() || record->fingerprint != fingerprint) continue;
    match.matched = true;
    match.why = "the key matches SSHFP " + std::to_string(record->algorithm) + " 2";
    return match;
  }
  if (match.usable > 0) {
    match.why = "the key is another one than the records name";
  } else {
    match.why = unusable.empty() ? "there is no record" : unusable;
  }
  return match;
}

std::string FormatSshfp(OctetsView rdata) {
  const std::optional<Sshfp> record = Decode(rdata);
  if (!record) return HexEncode(rdata);
  return std::to_string(record->algorithm) + ' ' + std::to_string(record->fingerprint_type) + ' ' + HexEncode(record->fingerprint);
}

}  // namespace idzone::verifier
