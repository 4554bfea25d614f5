// SPDX-License-Identifier: MIT
#include "services/rpc/key_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "services/core/base/deleter.h"

namespace idzone::rpc {
namespace {

using CertificatePointer = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free>>;

/// An encrypted key cannot be asked for a passphrase by a daemon.
int NoPassphrase(char*, int, int, void*) {
  return -1;
}

BioPointer Reader(const PemFile& file) {
  return BioPointer(BIO_new_mem_buf(file.content.data(), static_cast<int>(file.content.size())));
}

CertificatePointer ReadCertificate(const PemFile& file) {
  const BioPointer bio = Reader(file);
  CertificatePointer certificate(bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

}  // namespace

Result<void> CheckKeyPair(const PemFile& certificate_file, const PemFile& key_file) {
  const CertificatePointer certificate = ReadCertificate(certificate_file);
  if (certificate == nullptr) return Fail(Reason::kKeyFileInvalid, certificate_file.name, "a readable PEM certificate", "none");
  const BioPointer bio = Reader(key_file);
  const KeyPointer key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) return Fail(Reason::kKeyFileInvalid, key_file.name, "a readable PEM private key without passphrase", "none");
  const bool belongs = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!belongs) return Fail(Reason::kKeyFileInvalid, key_file.name, "the private key of " + certificate_file.name, "another key");
  return {};
}

Result<void> CheckCertificates(const PemFile& file) {
  if (ReadCertificate(file) == nullptr) return Fail(Reason::kKeyFileInvalid, file.name, "a readable PEM certificate", "none");
  return {};
}

}  // namespace idzone::rpc
