// SPDX-License-Identifier: MIT
#include "services/core/zone/zone_key.h"

#include "services/core/dns/dnskey.h"

namespace idzone::zone {

KeyUses AllUses(KeyRole role) {
  return {.in_dnskey = true, .signs_keys = SignsKeys(role), .signs_data = SignsData(role), .in_ds = SignsKeys(role)};
}

std::uint8_t EncodeKeyUses(const KeyUses& uses) {
  return static_cast<std::uint8_t>((uses.in_dnskey ? 1 : 0) | (uses.signs_keys ? 2 : 0) | (uses.signs_data ? 4 : 0) | (uses.in_ds ? 8 : 0));
}

KeyUses DecodeKeyUses(std::uint8_t bits) {
  return {.in_dnskey = (bits & 1) != 0, .signs_keys = (bits & 2) != 0, .signs_data = (bits & 4) != 0, .in_ds = (bits & 8) != 0};
}

std::uint16_t DnskeyFlags(KeyRole role) {
  // The zone key bit, and the secure entry point bit.
  return static_cast<std::uint16_t>(SignsKeys(role) ? dns::kFlagsCsk : dns::kFlagsCsk & ~1u);
}

std::string_view KeyRoleName(KeyRole role) {
  switch (role) {
    case KeyRole::kCsk: return "csk";
    case KeyRole::kKsk: return "ksk";
    case KeyRole::kZsk: return "zsk";
  }
  return "unknown";
}

std::string_view KeyStateName(KeyState state) {
  switch (state) {
    case KeyState::kGenerated: return "generated";
    case KeyState::kPublished: return "published";
    case KeyState::kActive: return "active";
    case KeyState::kRetired: return "retired";
    case KeyState::kRemoved: return "removed";
  }
  return "unknown";
}

}  // namespace idzone::zone
