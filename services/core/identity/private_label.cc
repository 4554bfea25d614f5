// SPDX-License-Identifier: MIT
#include "services/core/identity/private_label.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace idzone::identity {
namespace {

constexpr std::size_t kKeptOctets = 20;  // 160 bits, 32 characters of 5

}  // namespace

std::string PrivateLabel(OctetsView secret, const Subject& subject) {
  IDZONE_INVARIANT(secret.size() == kNamespaceSecretOctets, "a namespace's secret has 32 octets");
  Octets digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(subject.text().data()),
           subject.text().size(), reinterpret_cast<unsigned char*>(digest.data()), &size);
  IDZONE_INVARIANT(made != nullptr && size == 32, "HMAC-SHA-256 has 32 octets");
  return Base32HexEncode(OctetsView(digest).substr(0, kKeptOctets));
}

}  // namespace idzone::identity
