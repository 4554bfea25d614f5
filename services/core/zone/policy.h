// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/core/base/error.h"
#include "services/core/dns/rrset.h"

namespace idzone::zone {

/// Signatures begin this much in the past, for validators whose clock is slow.
inline constexpr std::chrono::hours kInceptionOffset(1);

/// How long the signatures of one class live, and how often they are renewed.
struct SignatureLife {
  std::chrono::seconds life;
  std::chrono::seconds resign;  // life >= 3 x resign, so that a missed renewal hurts nobody
  friend bool operator==(const SignatureLife&, const SignatureLife&) = default;
};

/// Whose keys they are, of which kinds, and for how long. Stored in registry.policy by number.
enum class KeyScope : std::uint8_t {
  kNamespace = 1,  // the zones of a namespace share its keys
  kZone = 2,       // each zone has its own
};
enum class KeyScheme : std::uint8_t {
  kCombined = 1,  // one key for everything
  kSplit = 2,     // a KSK and a ZSK
};
struct KeyPolicy {
  KeyScope scope = KeyScope::kNamespace;
  KeyScheme scheme = KeyScheme::kCombined;
  /// After which keys are rolled by themselves; 0: never, because a new key that signs keys needs the external parent, where somebody
  /// may have to act.
  std::chrono::seconds key_life{0};
  std::chrono::seconds zsk_life{0};  // of a ZSK; 0: never
  friend bool operator==(const KeyPolicy&, const KeyPolicy&) = default;
};

/// The times of a zone. Signature life bounds revocation: a signed record can be replayed until its RRSIG expires.
struct ZonePolicy {
  std::string name;
  dns::Ttl ttl;            // of identity records
  dns::Ttl negative_ttl;   // SOA MINIMUM and TTL, and so the TTL of NSEC3 records (RFC 9077)
  dns::Ttl apex_ttl;       // NS, DNSKEY
  SignatureLife identity;  // TLSA, SSHFP and the like
  SignatureLife denial;    // NSEC3
  SignatureLife apex;      // SOA, NS, DNSKEY, NSEC3PARAM
  std::chrono::seconds soa_refresh;
  std::chrono::seconds soa_retry;
  std::chrono::seconds soa_expire;  // <= LeastRest: a cut-off secondary goes silent, never stale
  std::chrono::seconds inception_offset = kInceptionOffset;
  KeyPolicy keys{};
  friend bool operator==(const ZonePolicy&, const ZonePolicy&) = default;
};

/// What an operator chooses of a policy; the rest follows.
struct PolicyChoice {
  dns::Ttl ttl = 0;
  SignatureLife identity{};
  std::optional<SignatureLife> denial{};             // as identity
  std::optional<SignatureLife> apex{};               // as identity
  std::optional<dns::Ttl> negative_ttl{};            // the lesser of `ttl` and 300 s
  std::optional<std::chrono::seconds> soa_expire{};  // LeastRest
  KeyPolicy keys{};
};

/// 1 to 32 lower-case letters, digits, inner hyphens. VALUE_MALFORMED.
Result<void> CheckPolicyName(const std::string& name, const char* field);

/// Checks a choice and makes the policy. The rules, each with the field that breaks it:
///   life >= 3 x resign, of each class: an outage of the signer of 1 7/16 re-sign periods hurts nobody (LeastRest);
///   resign >= ttl (identity), >= negative ttl (denial): what is cached is renewed before it dies;
///   soa_expire <= LeastRest: a secondary that is cut off goes silent before its signatures die;
///   10 min <= resign; life <= 30 d: it bounds for how long a revoked record can be replayed; 1 s <= ttl <= 1 d; negative ttl <= 3 h
///   (RFC 2308 §5); soa_expire >= 2 x (refresh + retry);
///   key_life, zsk_life >= 4 x the roll's duration, so that keys rest most of the time; zsk_life only where there are ZSKs.
/// VALUE_MALFORMED the name (1 to 32 lower-case letters, digits, hyphens), VALUE_OUT_OF_RANGE.
Result<ZonePolicy> MakeZonePolicy(const std::string& name, const PolicyChoice& choice);

/// Returns how much of its life any signature has left at least while the signer is at work: so long may the signer be away. The sweep
/// leaves one until it is 3/2 + 1/16 of the re-sign period old (zone-signer/README.md "The sweep"); those of the apex are made again at its
/// age of one period.
std::chrono::seconds LeastRest(const ZonePolicy& policy);

/// Returns how long a roll takes, of edges that follow at once: two intervals for caches (RFC 7583 Ipub, Iret), and a re-sign period in
/// which data is signed with the new keys. With a key that signs keys, two days more: a parent that does its part within a day, and a
/// day's TTL of its DS records.
std::chrono::seconds RollDuration(const ZonePolicy& policy, bool of_zsk);

/// Returns for how long after its last signature a record may still be believed: the signature's life, and what a resolver tolerates
/// beyond it. Unbound (val-sig-skew-min and -max): a tenth of the span that the signature covers, at least 1 h, at most 24 h.
std::chrono::seconds QuarantineOf(const ZonePolicy& policy);

/// Returns "fast", "standard" or "relaxed"; ENUM_UNKNOWN for any other name.
Result<ZonePolicy> FindZonePolicy(std::string_view name);

}  // namespace idzone::zone
