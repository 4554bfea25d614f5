// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

/// Keys, certificates and requests for tests, each a valid one in one call.
namespace idzone::testing {

using Key = std::shared_ptr<EVP_PKEY>;

inline Key Own(EVP_PKEY* key) {
  return Key(key, EVP_PKEY_free);
}
inline Key EcKey(const char* curve) {
  return Own(EVP_EC_gen(curve));
}
inline Key RsaKey(unsigned bits) {
  return Own(EVP_RSA_gen(bits));
}
inline Key NamedKey(const char* type) {
  return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
}

inline bool HasBuiltInDigest(EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 || EVP_PKEY_get_base_id(key) == EVP_PKEY_ED448;
}

template <typename Object, typename Write>
std::string Der(Object* object, Write write) {
  unsigned char* octets = nullptr;
  const int size = write(object, &octets);
  std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

template <typename Object, typename Write>
std::string Pem(Object* object, Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get(), object);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

inline std::shared_ptr<X509> Certificate(const Key& key, long lifetime_seconds = 3600) {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime_seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("device"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), HasBuiltInDigest(key.get()) ? nullptr : EVP_sha256());
  return certificate;
}

/// A certification request for `key`, signed by `signer` (the same, when the request is honest).
inline std::shared_ptr<X509_REQ> Request(const Key& key, const Key& signer) {
  std::shared_ptr<X509_REQ> request(X509_REQ_new(), X509_REQ_free);
  X509_REQ_set_pubkey(request.get(), key.get());
  X509_REQ_sign(request.get(), signer.get(), HasBuiltInDigest(signer.get()) ? nullptr : EVP_sha256());
  return request;
}

inline std::string CertificateDer(const Key& key) {
  return Der(Certificate(key).get(), i2d_X509);
}
inline std::string CertificatePem(const Key& key) {
  return Pem(Certificate(key).get(), PEM_write_bio_X509);
}
inline std::string SpkiDer(const Key& key) {
  return Der(key.get(), i2d_PUBKEY);
}
inline std::string SpkiPem(const Key& key) {
  return Pem(key.get(), PEM_write_bio_PUBKEY);
}

}  // namespace idzone::testing
