// SPDX-License-Identifier: MIT
#include "services/core/identity/key_material.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "services/core/base/limits.h"
#include "services/core/identity/key_strength.h"
#include "services/core/identity/openssl_pointer.h"
#include "services/core/identity/plain_p256.h"
#include "services/core/identity/ssh_key.h"

namespace idzone::identity {
namespace {

std::string FieldOf(MaterialKind kind) {
  switch (kind) {
    case MaterialKind::kCertificate: return "certificate";
    case MaterialKind::kCertificateRequest: return "certificate_request";
    case MaterialKind::kPublicKey: return "public_key";
    case MaterialKind::kSshPublicKey: return std::string(kSshField);
  }
  return "material";
}

std::string ThingOf(MaterialKind kind) {
  switch (kind) {
    case MaterialKind::kCertificate: return "one X.509 certificate";
    case MaterialKind::kCertificateRequest: return "one PKCS #10 certification request";
    case MaterialKind::kPublicKey: return "one SubjectPublicKeyInfo";
    case MaterialKind::kSshPublicKey: return std::string(kSshThing);
  }
  return "key material";
}

tl::unexpected<Error> Refuse(Reason reason, MaterialKind kind, std::string expected, std::string met) {
  return Fail(reason, FieldOf(kind), std::move(expected), std::move(met));
}

std::optional<MaterialKind> KindOfLabel(std::string_view label) {
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD) return MaterialKind::kCertificate;
  if (label == PEM_STRING_X509_REQ || label == PEM_STRING_X509_REQ_OLD) return MaterialKind::kCertificateRequest;
  if (label == PEM_STRING_PUBLIC) return MaterialKind::kPublicKey;
  return std::nullopt;
}

bool OnlySpace(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Returns the DER of the only PEM block in `text`, whose label must be of that kind. Text before the block is allowed,
/// as RFC 7468 §2 allows it and `openssl x509 -text` writes it; after the block there may be only white space.
Result<Octets> FromPem(MaterialKind kind, std::string_view text) {
  const BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const int read = PEM_read_bio(bio.get(), &label, &header, &data, &size);
  const std::unique_ptr<char, void (*)(char*)> label_owner(label, [](char* p) { OPENSSL_free(p); });
  const std::unique_ptr<char, void (*)(char*)> header_owner(header, [](char* p) { OPENSSL_free(p); });
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> data_owner(data, [](unsigned char* p) { OPENSSL_free(p); });
  ERR_clear_error();
  if (read != 1) return Refuse(Reason::kMaterialMalformed, kind, ThingOf(kind) + " in PEM", "a PEM block that cannot be read");
  const auto found = KindOfLabel(label);
  if (!found)
    return Refuse(Reason::kMaterialWrongKind, kind, ThingOf(kind), std::string("a PEM block ") + std::string(label).substr(0, 40));
  if (*found != kind) return Refuse(Reason::kMaterialWrongKind, kind, ThingOf(kind), ThingOf(*found));
  const char* rest = nullptr;
  const long rest_size = BIO_get_mem_data(bio.get(), &rest);
  if (rest_size > 0 && !OnlySpace(std::string_view(rest, static_cast<std::size_t>(rest_size))))
    return Refuse(Reason::kMaterialTrailingBytes, kind, "nothing after the PEM block", std::to_string(rest_size) + " more characters");
  return Octets(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
}

/// Reads DER with one of OpenSSL's d2i functions; the object must be all there is.
template <typename Pointer, typename Parse>
Pointer ParseDer(Parse parse, OctetsView der, std::size_t& trailing) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = cursor + der.size();
  Pointer object(parse(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  trailing = object == nullptr ? 0 : static_cast<std::size_t>(end - cursor);
  return object;
}

bool IsKind(MaterialKind kind, OctetsView der) {
  std::size_t trailing = 0;
  switch (kind) {
    case MaterialKind::kCertificate: return ParseDer<X509Pointer>(d2i_X509, der, trailing) != nullptr;
    case MaterialKind::kCertificateRequest: return ParseDer<RequestPointer>(d2i_X509_REQ, der, trailing) != nullptr;
    case MaterialKind::kPublicKey: return ParseDer<KeyPointer>(d2i_PUBKEY, der, trailing) != nullptr;
    case MaterialKind::kSshPublicKey: return LooksLikeSshKey(der);
  }
  return false;
}

/// Says what unreadable DER is instead, so that a key in the wrong slot is named as such.
tl::unexpected<Error> Unreadable(MaterialKind kind, OctetsView der) {
  for (const MaterialKind other :
       {MaterialKind::kCertificate, MaterialKind::kCertificateRequest, MaterialKind::kPublicKey, MaterialKind::kSshPublicKey}) {
    if (other != kind && IsKind(other, der)) return Refuse(Reason::kMaterialWrongKind, kind, ThingOf(kind), ThingOf(other));
  }
  return Refuse(Reason::kMaterialMalformed, kind, ThingOf(kind) + " in PEM or DER", std::to_string(der.size()) + " octets that are none");
}

Octets SpkiOf(X509_PUBKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(key, &der);
  IDZONE_INVARIANT(size > 0, "a parsed SubjectPublicKeyInfo can be encoded");
  Octets spki(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return spki;
}

tl::unexpected<Error> Trailing(MaterialKind kind, std::size_t count) {
  return Refuse(Reason::kMaterialTrailingBytes, kind, "exactly " + ThingOf(kind), std::to_string(count) + " octets after it");
}

}  // namespace

KeyMaterial::KeyMaterial(Octets spki, Octets certificate)
    : spki_(std::move(spki)), certificate_(std::move(certificate)), fingerprint_(Sha256(spki_)) {}

KeyMaterial::KeyMaterial(SshKey key)
    : spki_(std::move(key.spki)), ssh_blob_(std::move(key.blob)), sshfp_algorithm_(key.sshfp_algorithm), fingerprint_(Sha256(spki_)) {}

Result<KeyMaterial> KeyMaterial::Parse(MaterialKind kind, OctetsView octets) {
  if (octets.empty()) return Refuse(Reason::kMaterialMissing, kind, ThingOf(kind), "nothing");
  if (octets.size() > limits::kMaterialOctetsMax)
    return Refuse(Reason::kLimitExceeded, kind, "at most " + std::to_string(limits::kMaterialOctetsMax) + " octets",
                  std::to_string(octets.size()));
  if (kind == MaterialKind::kSshPublicKey) {
    auto key = ParseSshKey(octets);
    if (key) return KeyMaterial(*std::move(key));
    const bool maybe_der = key.error().reason == Reason::kMaterialMalformed && octets.front() == '\x30';
    return maybe_der ? Unreadable(kind, octets) : tl::unexpected(std::move(key.error()));
  }
  Octets der(octets);
  if (octets.find("-----BEGIN ") != OctetsView::npos) {
    auto decoded = FromPem(kind, octets);
    if (!decoded) return tl::unexpected(decoded.error());
    der = std::move(*decoded);
  }
  // What factories send, quickly; everything else, and every refusal, the long way.
  if (kind == MaterialKind::kPublicKey && IsPlainP256(der)) return KeyMaterial(std::move(der), Octets());
  if (kind == MaterialKind::kCertificate) {
    if (auto plain = PlainP256Of(der)) return KeyMaterial(*std::move(plain), std::move(der));
  }
  std::size_t trailing = 0;
  Octets spki;
  KeyPointer key;
  if (kind == MaterialKind::kCertificate) {
    const auto certificate = ParseDer<X509Pointer>(d2i_X509, der, trailing);
    if (certificate == nullptr) return Unreadable(kind, der);
    spki = SpkiOf(X509_get_X509_PUBKEY(certificate.get()));
    key.reset(X509_get_pubkey(certificate.get()));
  } else if (kind == MaterialKind::kCertificateRequest) {
    const auto request = ParseDer<RequestPointer>(d2i_X509_REQ, der, trailing);
    if (request == nullptr) return Unreadable(kind, der);
    spki = SpkiOf(X509_REQ_get_X509_PUBKEY(request.get()));
    key.reset(X509_REQ_get_pubkey(request.get()));
    if (auto strong = CheckStrength(FieldOf(kind), key.get()); !strong) return tl::unexpected(strong.error());
    if (X509_REQ_verify(request.get(), key.get()) != 1) {
      ERR_clear_error();
      return Refuse(Reason::kProofMismatch, kind, "a request signed by the key that it carries", "another signature");
    }
  } else {
    key = ParseDer<KeyPointer>(d2i_PUBKEY, der, trailing);
    if (key == nullptr) return Unreadable(kind, der);
    spki = der.substr(0, der.size() - trailing);
  }
  ERR_clear_error();
  if (trailing != 0) return Trailing(kind, trailing);
  if (auto strong = CheckStrength(FieldOf(kind), key.get()); !strong) return tl::unexpected(strong.error());
  return KeyMaterial(std::move(spki), kind == MaterialKind::kCertificate ? std::move(der) : Octets());
}

}  // namespace idzone::identity
