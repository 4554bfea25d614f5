// SPDX-License-Identifier: MIT
#include "zone-signer/keys/signing_key.h"

#include "services/core/dns/dnskey.h"
#include "zone-signer/keys/openssl_key.h"

namespace idzone::signer::keys {
namespace {

using namespace std::string_view_literals;

/// SubjectPublicKeyInfo up to the key itself: RFC 5480 §2 with an uncompressed point of secp256r1, RFC 8410 §4 with Ed25519.
constexpr OctetsView kP256Head =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"sv;
constexpr OctetsView kEd25519Head = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;

}  // namespace

KeyId KeyIdOf(std::uint8_t algorithm, OctetsView public_key) {
  const bool is_p256 = algorithm == dns::kAlgorithmEcdsaP256Sha256;
  IDZONE_INVARIANT(is_p256 || algorithm == dns::kAlgorithmEd25519, "keys are of algorithm 13 or 15");
  IDZONE_INVARIANT(public_key.size() == (is_p256 ? 64U : 32U), "a public key has its algorithm's size");
  return Sha256(Octets(is_p256 ? kP256Head : kEd25519Head).append(public_key));
}

SigningKey::SigningKey(std::shared_ptr<const PrivateKey> private_key) {
  KeyId id = KeyIdOf(private_key->algorithm(), private_key->public_key());
  Octets dnskey = dns::EncodeDnskey(dns::kFlagsCsk, private_key->algorithm(), private_key->public_key());
  parts_ = std::make_shared<const Parts>(Parts{std::move(private_key), std::move(id), std::move(dnskey)});
}

Result<SigningKey> SigningKey::Generate(std::uint8_t algorithm) {
  auto key = OpensslKey::Generate(algorithm);
  if (!key) return tl::unexpected(key.error());
  return SigningKey(*std::move(key));
}

Octets SigningKey::DnskeyWith(std::uint16_t flags) const {
  return dns::EncodeDnskey(flags, algorithm(), parts_->private_key->public_key());
}

std::uint16_t SigningKey::key_tag() const {
  return dns::KeyTag(parts_->dnskey);
}

Result<Signer> Signer::Make(const SigningKey& key) {
  auto context = key.parts_->private_key->MakeContext();
  if (!context) return tl::unexpected(context.error());
  return Signer(*std::move(context));
}

}  // namespace idzone::signer::keys
