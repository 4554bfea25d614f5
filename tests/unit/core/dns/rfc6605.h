// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/evp.h>

#include "services/core/base/octets.h"

/// The P-256 example of RFC 6605 §6.1: made by another implementation.
namespace idzone::rfc6605 {

inline Octets Base64Decode(std::string_view text) {
  Octets octets(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  octets.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) {
    octets.pop_back();
    text.remove_suffix(1);
  }
  return octets;
}

inline Octets PublicKey() {
  return Base64Decode("GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==");
}

/// The signature over "www.example.net. 3600 IN A 192.0.2.1", 2010-08-12 10:04:39 to 2010-09-09 10:04:39 UTC.
inline Octets Signature() {
  return Base64Decode("qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==");
}
inline constexpr std::int64_t kInception = 1281607479;
inline constexpr std::int64_t kExpiration = 1284026679;

}  // namespace idzone::rfc6605
