// SPDX-License-Identifier: MIT
#include "services/replica/follower_message.h"

#include "services/core/base/error.h"

namespace idzone::replica {

void ToProto(const dns::Name& zone, const zone::ZonePosition& position, feed::v1::Position* out) {
  out->set_zone(zone.wire());
  out->set_epoch(position.epoch);
  out->set_serial(position.serial);
  out->set_digest(position.digest);
}

Result<zone::ZonePosition> FromProto(const feed::v1::Position& position) {
  if (position.digest().size() != 32 || position.epoch() == 0 || position.serial() == 0)
    return Fail(Reason::kEncodingMalformed, "position", "epoch, serial and a digest of 32 octets", "others");
  return zone::ZonePosition{position.epoch(), position.serial(), position.digest()};
}

Result<dns::DenialKind> DenialOf(const feed::v1::FollowResponse_SnapshotBegin& message) {
  switch (message.denial()) {
    case 0:  // a feed that knows no other kind
    case 1: return dns::DenialKind::kNsec3;
    case 2: return dns::DenialKind::kNsec;
    default: return Fail(Reason::kEnumUnknown, "snapshot_begin.denial", "1 (NSEC3) or 2 (NSEC)", std::to_string(message.denial()));
  }
}

const Octets& ZoneOf(const feed::v1::FollowResponse& message) {
  static const Octets kNone;
  switch (message.message_case()) {
    case feed::v1::FollowResponse::kVersion: return message.version().position().zone();
    case feed::v1::FollowResponse::kVersions:
      return message.versions().versions().empty() ? kNone : message.versions().versions(0).position().zone();
    case feed::v1::FollowResponse::kSnapshotBegin: return message.snapshot_begin().position().zone();
    case feed::v1::FollowResponse::kSnapshotNodes: return message.snapshot_nodes().zone();
    case feed::v1::FollowResponse::kSnapshotEnd: return message.snapshot_end().zone();
    case feed::v1::FollowResponse::kHeartbeat:
    case feed::v1::FollowResponse::MESSAGE_NOT_SET: break;
  }
  return kNone;
}

std::vector<const feed::v1::FollowResponse_Version*> VersionsOf(const feed::v1::FollowResponse& message) {
  std::vector<const feed::v1::FollowResponse_Version*> versions;
  if (message.has_version()) versions.push_back(&message.version());
  for (const auto& version : message.versions().versions()) versions.push_back(&version);
  return versions;
}

}  // namespace idzone::replica
