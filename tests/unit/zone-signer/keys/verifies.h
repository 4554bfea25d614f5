// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "services/core/base/octets.h"

namespace idzone::signer::keys {

/// Verifies with a public key that is rebuilt from the DNSKEY alone.
inline bool VerifiesEd25519(const Octets& dnskey, OctetsView data, const Octets& signature) {
  const auto* key_octets = reinterpret_cast<const unsigned char*>(dnskey.data()) + 4;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key_octets, dnskey.size() - 4);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool verified = EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                         reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return verified;
}

/// Verifies r||s with a public key that is rebuilt from the DNSKEY alone.
inline bool VerifiesP256(const Octets& dnskey, OctetsView data, const Octets& raw) {
  // The fixed head of a P-256 SubjectPublicKeyInfo, before the uncompressed point (RFC 5480).
  Octets spki = HexDecode("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "spki").value() + dnskey.substr(4);
  const auto* at = reinterpret_cast<const unsigned char*>(spki.data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* octets = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG_set0(signature, BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool verified =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context, der, static_cast<std::size_t>(size), reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  EVP_PKEY_free(key);
  return verified;
}

inline bool Verifies(const Octets& dnskey, OctetsView data, const Octets& signature) {
  return dnskey[3] == 15 ? VerifiesEd25519(dnskey, data, signature) : VerifiesP256(dnskey, data, signature);
}

}  // namespace idzone::signer::keys
