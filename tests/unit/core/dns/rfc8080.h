// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/core/dns/rfc6605.h"

/// The Ed25519 examples of RFC 8080 §6.1: made by another implementation. Ed25519 is deterministic, so that our own
/// signatures must equal them octet for octet.
namespace idzone::rfc8080 {

struct Example {
  Octets private_key;  // the seed of RFC 8032
  Octets public_key;
  std::uint16_t key_tag;
  const char* ds_digest;  // SHA-256, hex
  Octets signature;       // over "example.com. 3600 IN MX 10 mail.example.com.", by example.com.
};

inline std::vector<Example> Examples() {
  using rfc6605::Base64Decode;
  return {{Base64Decode("ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="), Base64Decode("l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), 3613,
           "3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
           Base64Decode("oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==")},
          {Base64Decode("DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY="), Base64Decode("zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs="),
           35217, "401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c",
           Base64Decode("zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==")}};
}

inline constexpr std::uint16_t kTypeMx = 15;
inline constexpr std::uint32_t kInception = 1438207200;
inline constexpr std::uint32_t kExpiration = 1440021600;
/// "10 mail.example.com."
inline Octets MxRdata() {
  return Octets(
      "\x00\x0a\x04mail\x07"
      "example\x03"
      "com\x00",
      20);
}

}  // namespace idzone::rfc8080
