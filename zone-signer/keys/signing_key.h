// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "services/sealing/secret.h"
#include "zone-signer/keys/private_key.h"

namespace idzone::signer::keys {

using sealing::Secret;

/// A key's name: SHA-256 of its SubjectPublicKeyInfo, 32 octets.
using KeyId = Octets;
inline constexpr std::size_t kKeyIdOctets = 32;

/// A key for DNSSEC algorithm 13 (ECDSA P-256) or 15 (Ed25519): its private part, which never leaves this folder, with what is
/// public of it.
/// Threads: const, may be shared; each thread that signs makes a Signer of its own.
class SigningKey {
 public:
  explicit SigningKey(std::shared_ptr<const PrivateKey> private_key);
  /// Makes a new key in this process's memory. INTERNAL when OpenSSL fails. Requires: algorithm 13 or 15.
  static Result<SigningKey> Generate(std::uint8_t algorithm);

  /// Returns the key's name: SHA-256 of its SubjectPublicKeyInfo.
  const KeyId& id() const { return parts_->id; }
  /// Returns DNSKEY RDATA: flags 257, the algorithm, and the public key.
  const Octets& dnskey() const { return parts_->dnskey; }
  /// Returns the same with other flags.
  Octets DnskeyWith(std::uint16_t flags) const;
  std::uint8_t algorithm() const { return parts_->private_key->algorithm(); }
  std::uint16_t key_tag() const;

 private:
  friend class Signer;
  struct Parts {
    std::shared_ptr<const PrivateKey> private_key;
    KeyId id;
    Octets dnskey;
  };
  std::shared_ptr<const Parts> parts_;
};

/// Signs with one key. Threads: one at a time.
class Signer {
 public:
  static Result<Signer> Make(const SigningKey& key);

  /// What SigningContext::Sign says. INTERNAL when OpenSSL fails, KEY_TOKEN_UNAVAILABLE when a token does.
  Result<Octets> Sign(OctetsView data) { return context_->Sign(data); }

 private:
  explicit Signer(std::unique_ptr<SigningContext> context) : context_(std::move(context)) {}
  std::unique_ptr<SigningContext> context_;
};

/// Returns the name of a public key that is given as a DNSKEY holds it. Requires: algorithm 13 with 64 octets, or 15 with 32.
KeyId KeyIdOf(std::uint8_t algorithm, OctetsView public_key);

}  // namespace idzone::signer::keys
