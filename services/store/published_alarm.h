// SPDX-License-Identifier: MIT
#pragma once

#include "services/core/base/error.h"
#include "services/store/published_store.h"

/// What keeps a signer from its work, where operators see it (registry_zone_status.h). For the signer alone.
namespace idzone::store {

/// Stands for all namespaces.
inline constexpr std::int32_t kAllNamespaces = 0;

/// Raises an alarm, or says that it lasts. One a namespace and reason, whichever signer raises it.
void RaiseAlarm(Transaction& transaction, std::int32_t namespace_id, const Error& error);
/// Takes back the alarms of a namespace.
void ClearAlarms(Transaction& transaction, std::int32_t namespace_id);

}  // namespace idzone::store
