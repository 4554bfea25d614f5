// SPDX-License-Identifier: MIT
#include "services/core/identity/key_strength.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>

#include "services/core/base/limits.h"
#include "services/core/identity/openssl_pointer.h"

namespace idzone::identity {
namespace {

tl::unexpected<Error> Refuse(Reason reason, std::string_view field, std::string expected, std::string met) {
  return Fail(reason, std::string(field), std::move(expected), std::move(met));
}

Result<void> CheckRsa(std::string_view field, const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < limits::kRsaBitsMin) return Refuse(Reason::kKeyTooWeak, field, "RSA of 2048 bits or more", std::to_string(bits) + " bits");
  if (bits > limits::kRsaBitsMax) return Refuse(Reason::kKeyUnsupported, field, "RSA of at most 8192 bits", std::to_string(bits) + " bits");
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw);
  const NumberPointer exponent(raw);
  // Small exponents have broken padding checks too often (CA/Browser Forum Baseline Requirements §6.1.6).
  if (exponent == nullptr || !BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) < 17)
    return Refuse(Reason::kKeyTooWeak, field, "an odd RSA exponent of 65537 or more", "another exponent");
  return {};
}

Result<void> CheckCurve(std::string_view field, const EVP_PKEY* key) {
  char group[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof(group), &size) != 1)
    return Refuse(Reason::kKeyUnsupported, field, "P-256, P-384 or P-521", "a curve without a name");
  const std::string_view name(group, size);
  if (name == SN_X9_62_prime256v1 || name == SN_secp384r1 || name == SN_secp521r1) return {};
  return Refuse(Reason::kKeyUnsupported, field, "P-256, P-384 or P-521", "curve " + std::string(name));
}

}  // namespace

Result<void> CheckStrength(std::string_view field, const EVP_PKEY* key) {
  if (key == nullptr) return Refuse(Reason::kKeyUnsupported, field, "an RSA, ECDSA or EdDSA key", "a key that OpenSSL cannot read");
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return CheckRsa(field, key);
    case EVP_PKEY_EC: return CheckCurve(field, key);
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448: return {};
    default: break;
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  return Refuse(Reason::kKeyUnsupported, field, "an RSA, ECDSA or EdDSA key", name == nullptr ? "another kind of key" : name);
}

}  // namespace idzone::identity
