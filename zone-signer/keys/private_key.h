// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "services/core/base/error.h"
#include "services/core/base/octets.h"

/// What every kind of private key can do, wherever its secret is: in this process (openssl_key.h) or in a token (token_keys.h).
namespace idzone::signer::keys {

/// Signs with one key, again and again. Threads: one at a time.
class SigningContext {
 public:
  virtual ~SigningContext() = default;
  /// Returns 64 octets: r||s over SHA-256 of the data (RFC 6605 §4), or the Ed25519 signature of the data (RFC 8080 §4).
  virtual Result<Octets> Sign(OctetsView data) = 0;
};

/// Threads: const, may be shared.
class PrivateKey {
 public:
  virtual ~PrivateKey() = default;
  /// Returns the DNSSEC algorithm: 13 or 15.
  virtual std::uint8_t algorithm() const = 0;
  /// Returns the public key as a DNSKEY holds it: x||y (RFC 6605 §4), or the 32 octets of RFC 8080 §3.
  virtual const Octets& public_key() const = 0;
  /// Returns what a thread signs by.
  virtual Result<std::unique_ptr<SigningContext>> MakeContext() const = 0;
};

}  // namespace idzone::signer::keys
