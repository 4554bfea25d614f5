// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "services/core/base/octets.h"

namespace idzone::cli {

/// What a caller says that a key comes in. The server reads it; here it only chooses the field.
enum class MaterialForm { kCertificate, kCertificateRequest, kPublicKey, kSshPublicKey, kOpenPgpKey };

struct Material {
  MaterialForm form = MaterialForm::kCertificate;
  Octets octets;
};

/// Puts it into the `material` of an EnrollRequest, ReEnrollRequest or AddKeyRequest.
template <typename Request>
void SetMaterial(Request& request, Material material) {
  switch (material.form) {
    case MaterialForm::kCertificate: request.set_certificate(std::move(material.octets)); break;
    case MaterialForm::kCertificateRequest: request.set_certificate_request(std::move(material.octets)); break;
    case MaterialForm::kPublicKey: request.set_public_key(std::move(material.octets)); break;
    case MaterialForm::kSshPublicKey: request.set_ssh_public_key(std::move(material.octets)); break;
    case MaterialForm::kOpenPgpKey: request.set_openpgp_key(std::move(material.octets)); break;
  }
}

}  // namespace idzone::cli
