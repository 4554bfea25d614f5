// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "services/sealing/secret.h"

namespace idzone::signer::keys {

using sealing::Secret;

/// A key's name: SHA-256 of its SubjectPublicKeyInfo, 32 octets.
using KeyId = Octets;
inline constexpr std::size_t kKeyIdOctets = 32;

/// A private key for DNSSEC algorithm 13 (ECDSA P-256) or 15 (Ed25519). The private part never leaves this folder.
/// Threads: const, may be shared; each thread that signs makes a Signer of its own.
class SigningKey {
 public:
  /// Makes a new key. INTERNAL when OpenSSL fails. Requires: algorithm 13 or 15.
  static Result<SigningKey> Generate(std::uint8_t algorithm);
  /// Reads PKCS #8. KEY_FILE_INVALID for anything but a P-256 or an Ed25519 key.
  static Result<SigningKey> FromPkcs8(const Secret& pkcs8, std::string_view subject);
  Result<Secret> ToPkcs8() const;

  /// Returns the key's name: SHA-256 of its SubjectPublicKeyInfo.
  const KeyId& id() const;
  /// Returns DNSKEY RDATA: flags 257, the algorithm, and x||y (RFC 6605 §4) or the 32 octets of RFC 8080 §3.
  const Octets& dnskey() const;
  /// Returns the same with other flags.
  Octets DnskeyWith(std::uint16_t flags) const;
  std::uint8_t algorithm() const;
  std::uint16_t key_tag() const;

 private:
  friend class Signer;
  struct Parts;
  explicit SigningKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  static Result<SigningKey> Wrap(void* pkey);
  std::shared_ptr<const Parts> parts_;
};

/// Signs with one key, reusing one OpenSSL context: setting that up costs as much as a signature.
/// Threads: one at a time.
class Signer {
 public:
  static Result<Signer> Make(const SigningKey& key);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  /// Returns 64 octets: r||s over SHA-256 of the data (RFC 6605 §4), or the Ed25519 signature of the data (RFC 8080 §4).
  /// INTERNAL when OpenSSL fails.
  Result<Octets> Sign(OctetsView data);

 private:
  struct Parts;
  explicit Signer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace idzone::signer::keys
