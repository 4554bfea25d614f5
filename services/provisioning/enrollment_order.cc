// SPDX-License-Identifier: MIT
#include "services/provisioning/enrollment_order.h"

namespace idzone::provisioning {
namespace {

/// Reads the material that requests have in common; their oneofs have the same names and numbers.
template <typename Request>
Result<EnrollmentOrder> ReadOrder(const Request& request) {
  using zone::OfferedKind;
  const auto order = [&](OfferedKind kind, const std::string& material) {
    return EnrollmentOrder{request.namespace_name(), request.id(), kind, material};
  };
  switch (request.material_case()) {
    case Request::kCertificate: return order(OfferedKind::kCertificate, request.certificate());
    case Request::kCertificateRequest: return order(OfferedKind::kCertificateRequest, request.certificate_request());
    case Request::kPublicKey: return order(OfferedKind::kPublicKey, request.public_key());
    case Request::kSshPublicKey: return order(OfferedKind::kSshPublicKey, request.ssh_public_key());
    case Request::kOpenpgpKey: return order(OfferedKind::kOpenPgpKey, request.openpgp_key());
    case Request::MATERIAL_NOT_SET: break;
  }
  return Fail(Reason::kMaterialMissing, "material", "a certificate, certificate_request, public_key, ssh_public_key or openpgp_key",
              "none");
}

}  // namespace

Result<std::optional<zone::LabelPrivacy>> LabelPrivacyFromProto(v1::LabelPrivacy label_privacy) {
  switch (label_privacy) {
    case v1::LABEL_PRIVACY_UNSPECIFIED: return std::nullopt;
    case v1::LABEL_PRIVACY_CLEAR: return zone::LabelPrivacy::kClear;
    case v1::LABEL_PRIVACY_PRIVATE: return zone::LabelPrivacy::kPrivate;
    default: return Fail(Reason::kEnumUnknown, "label_privacy", "clear, private or unset", std::to_string(label_privacy));
  }
}

Result<EnrollmentOrder> OrderFromProto(const v1::EnrollRequest& request) {
  auto label_privacy = LabelPrivacyFromProto(request.label_privacy());
  if (!label_privacy) return tl::unexpected(label_privacy.error());
  auto order = ReadOrder(request);
  if (order) order->label_privacy = *label_privacy;
  return order;
}

Result<EnrollmentOrder> OrderFromProto(const v1::ReEnrollRequest& request) {
  return ReadOrder(request);
}

Result<EnrollmentOrder> OrderFromProto(const v1::AddKeyRequest& request) {
  return ReadOrder(request);
}

}  // namespace idzone::provisioning
