// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "idzone/feed/v1/feed_service.pb.h"
#include "services/core/dns/denial.h"
#include "services/core/dns/name.h"
#include "services/core/zone/version.h"

/// What stands in the feed's messages (proto/idzone/feed/v1/feed_service.proto), as our own types.
namespace idzone::replica {

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, feed::v1::Position* out);
/// ENCODING_MALFORMED: no epoch, serial or digest.
Result<zone::ZonePosition> FromProto(const feed::v1::Position& position);

/// ENUM_UNKNOWN.
Result<dns::DenialKind> DenialOf(const feed::v1::FollowResponse_SnapshotBegin& message);

/// Returns the wire form of the zone that a message is about, the first one of several; empty when it is about none.
const Octets& ZoneOf(const feed::v1::FollowResponse& message);

/// Returns the versions in a message; they live as long as it does.
std::vector<const feed::v1::FollowResponse_Version*> VersionsOf(const feed::v1::FollowResponse& message);

}  // namespace idzone::replica
