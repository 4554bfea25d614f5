// SPDX-License-Identifier: MIT
#include "services/core/identity/plain_p256.h"

#include <openssl/asn1t.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <memory>

#include "services/core/base/deleter.h"

namespace idzone::identity {
namespace {

/// Certificate and TBSCertificate of RFC 5280 §4.1, the key left as it is. Named and laid out for OpenSSL's macros.
struct PlainBody {
  ASN1_INTEGER* version;
  ASN1_INTEGER* serial;
  X509_ALGOR* signature;
  X509_NAME* issuer;
  X509_VAL* validity;
  X509_NAME* subject;
  ASN1_STRING* key;
  ASN1_BIT_STRING* issuer_id;
  ASN1_BIT_STRING* subject_id;
  STACK_OF(X509_EXTENSION) * extensions;
};

struct PlainCertificate {
  PlainBody* body;
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
};

// clang-format off
ASN1_SEQUENCE(PlainBody) = {
  ASN1_EXP_OPT(PlainBody, version, ASN1_INTEGER, 0),
  ASN1_SIMPLE(PlainBody, serial, ASN1_INTEGER),
  ASN1_SIMPLE(PlainBody, signature, X509_ALGOR),
  ASN1_SIMPLE(PlainBody, issuer, X509_NAME),
  ASN1_SIMPLE(PlainBody, validity, X509_VAL),
  ASN1_SIMPLE(PlainBody, subject, X509_NAME),
  ASN1_SIMPLE(PlainBody, key, ASN1_SEQUENCE),
  ASN1_IMP_OPT(PlainBody, issuer_id, ASN1_BIT_STRING, 1),
  ASN1_IMP_OPT(PlainBody, subject_id, ASN1_BIT_STRING, 2),
  ASN1_EXP_SEQUENCE_OF_OPT(PlainBody, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(PlainBody)

ASN1_SEQUENCE(PlainCertificate) = {
  ASN1_SIMPLE(PlainCertificate, body, PlainBody),
  ASN1_SIMPLE(PlainCertificate, algorithm, X509_ALGOR),
  ASN1_SIMPLE(PlainCertificate, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(PlainCertificate)
    // clang-format on

    struct PlainCertificateFree {
  void operator()(PlainCertificate* p) const { ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(p), ASN1_ITEM_rptr(PlainCertificate)); }
};

// RFC 5480 §2.1: SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING of 65 octets with no unused bits }.
constexpr char kPrefix[] = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
constexpr std::size_t kPrefixSize = sizeof(kPrefix) - 1;
constexpr std::size_t kPointSize = 65;  // its first octet, 04 for uncompressed, ends the prefix

/// What a thread needs again for each point.
struct Curve {
  std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>> group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
  std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>> point{group ? EC_POINT_new(group.get()) : nullptr};
  std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>> context{BN_CTX_new()};
};

/// SEC 1 §3.2.2.1: coordinates below the prime, and the point on the curve; EC_POINT_oct2point checks both.
bool IsOnCurve(OctetsView point) {
  static thread_local const Curve curve;
  if (curve.point == nullptr || curve.context == nullptr) return false;
  const bool on_curve = EC_POINT_oct2point(curve.group.get(), curve.point.get(), reinterpret_cast<const unsigned char*>(point.data()),
                                           point.size(), curve.context.get()) == 1;
  if (!on_curve) ERR_clear_error();
  return on_curve;
}

}  // namespace

bool IsPlainP256(OctetsView spki) {
  return spki.size() == kPrefixSize - 1 + kPointSize && spki.starts_with(OctetsView(kPrefix, kPrefixSize)) &&
         IsOnCurve(spki.substr(kPrefixSize - 1));
}

std::optional<Octets> PlainP256Of(OctetsView certificate) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(certificate.data());
  const auto* end = cursor + certificate.size();
  const std::unique_ptr<PlainCertificate, PlainCertificateFree> read(reinterpret_cast<PlainCertificate*>(
      ASN1_item_d2i(nullptr, &cursor, static_cast<long>(certificate.size()), ASN1_ITEM_rptr(PlainCertificate))));
  if (read == nullptr) ERR_clear_error();
  if (read == nullptr || cursor != end) return std::nullopt;
  const ASN1_STRING* key = read->body->key;
  const OctetsView spki(reinterpret_cast<const char*>(ASN1_STRING_get0_data(key)), static_cast<std::size_t>(ASN1_STRING_length(key)));
  if (!IsPlainP256(spki)) return std::nullopt;
  return Octets(spki);
}

}  // namespace idzone::identity
