// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/enrollment_service.pb.h"
#include "idzone/v1/identity_service.pb.h"
#include "services/provisioning/enrollment_workflow.h"

namespace idzone::provisioning {

/// Reads what of a label a request wants; unset when it leaves that to the namespace. ENUM_UNKNOWN.
Result<std::optional<zone::LabelPrivacy>> LabelPrivacyFromProto(v1::LabelPrivacy label_privacy);

/// Reads a request; the order refers to it. MATERIAL_MISSING when no material is set.
Result<EnrollmentOrder> OrderFromProto(const v1::EnrollRequest& request);
Result<EnrollmentOrder> OrderFromProto(const v1::ReEnrollRequest& request);
Result<EnrollmentOrder> OrderFromProto(const v1::AddKeyRequest& request);

}  // namespace idzone::provisioning
