// SPDX-License-Identifier: MIT
#pragma once

#include "services/rpc/access_table.h"

namespace idzone::provisioning {

/// Who may call what in idzone.v1. Tenancy (whose namespace it is) is checked besides, by NamespaceDirectory.
const rpc::AccessTable& ProvisioningAccess();

}  // namespace idzone::provisioning
