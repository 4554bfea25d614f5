// SPDX-License-Identifier: MIT
#include "services/core/identity/authority.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "services/core/identity/openssl_pointer.h"

namespace idzone::identity {

Result<KeyMaterial> ParseAuthority(OctetsView certificate) {
  auto material = KeyMaterial::Parse(MaterialKind::kCertificate, certificate);
  if (!material) return material;
  const auto refuse = [](std::string met) -> Result<KeyMaterial> {
    return Fail(Reason::kCertificateNotCa, "certificate", "a CA: basicConstraints CA:TRUE, and keyCertSign where keyUsage is",
                std::move(met));
  };
  const Octets& der = material->certificate();
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  const X509Pointer parsed(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  IDZONE_INVARIANT(parsed != nullptr, "a parsed certificate can be parsed again");
  const std::uint32_t flags = X509_get_extension_flags(parsed.get());
  const std::uint32_t usage = X509_get_key_usage(parsed.get());
  ERR_clear_error();
  if ((flags & EXFLAG_INVALID) != 0) return refuse("extensions that cannot be read");
  if ((flags & EXFLAG_BCONS) == 0) return refuse("no basicConstraints");
  if ((flags & EXFLAG_CA) == 0) return refuse("CA:FALSE");
  if ((flags & EXFLAG_KUSAGE) != 0 && (usage & KU_KEY_CERT_SIGN) == 0) return refuse("keyUsage without keyCertSign");
  return material;
}

}  // namespace idzone::identity
