// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "services/core/base/error.h"

/// What a key is to the zones of its namespace. Stored in published.key, shown to operators; the signer alone changes it.
namespace idzone::zone {

/// What a key is made for. A combined key (CSK) does both; a KSK signs the keys, a ZSK everything else (RFC 6781 §3.1).
enum class KeyRole : std::uint8_t { kCsk = 1, kKsk = 2, kZsk = 3 };

inline bool SignsKeys(KeyRole role) {
  return role != KeyRole::kZsk;
}
inline bool SignsData(KeyRole role) {
  return role != KeyRole::kKsk;
}

/// Where a key stands in its life (RFC 7583 §3.1); for people to read. What is done with it follows from its uses.
enum class KeyState : std::uint8_t {
  kGenerated = 1,  // exists; no zone shows it
  kPublished = 2,  // shown, so that caches learn it
  kActive = 3,     // does all that its role is for
  kRetired = 4,    // does less than that; still shown for caches that hold what it signed
  kRemoved = 5,    // gone from the zones, for ever
};

/// What the zones do with a key now.
struct KeyUses {
  bool in_dnskey = false;   // the DNSKEY RRset holds it
  bool signs_keys = false;  // it signs the DNSKEY, CDS and CDNSKEY RRsets
  bool signs_data = false;  // it signs everything else
  bool in_ds = false;       // parents should publish its DS record

  bool any() const { return in_dnskey || signs_keys || signs_data || in_ds; }
  friend bool operator==(const KeyUses&, const KeyUses&) = default;
};

/// Returns the uses of an active key of that role.
KeyUses AllUses(KeyRole role);

/// The column published.key.uses: 1 in_dnskey, 2 signs_keys, 4 signs_data, 8 in_ds.
std::uint8_t EncodeKeyUses(const KeyUses& uses);
KeyUses DecodeKeyUses(std::uint8_t bits);

/// CVE-2023-50387 (KeyTrap): a validator's work grows with the keys of a zone. Four hold the roll of a KSK and a ZSK at once.
inline constexpr std::size_t kDnskeysMax = 4;

/// DNSKEY flags (RFC 4034 §2.1.1): 257 with the SEP bit, for keys that sign keys; 256.
std::uint16_t DnskeyFlags(KeyRole role);

/// "csk", "ksk", "zsk"; "generated", …
std::string_view KeyRoleName(KeyRole role);
std::string_view KeyStateName(KeyState state);

}  // namespace idzone::zone
