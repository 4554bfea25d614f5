// SPDX-License-Identifier: MIT
#pragma once

#include "zone-signer/pipeline/change_plan.h"

namespace idzone::signer::pipeline {

/// Gives each wish to the zone that owns its name: the most specific one that exists, as PowerDNS will choose. Opens those zones.
/// One statement finds them all; a namespace without cuts costs none.
Result<WishesByZone> RouteWishes(store::Transaction& transaction, OpenZones& zones, Wishes wishes);

}  // namespace idzone::signer::pipeline
