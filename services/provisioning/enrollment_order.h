// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/enrollment_service.pb.h"
#include "services/provisioning/enrollment_workflow.h"

namespace idzone::provisioning {

/// Reads an EnrollRequest; the order refers to it. MATERIAL_MISSING when none of the three is set.
Result<EnrollmentOrder> OrderFromProto(const v1::EnrollRequest& request);

}  // namespace idzone::provisioning
