// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/base/limits.h"
#include "services/replica/follower_check.h"
#include "services/replica/follower_children.h"
#include "services/replica/follower_history.h"
#include "services/replica/follower_trust.h"
#include "services/replica/writer.h"

namespace idzone::feed::v1 {
class FollowRequest;
class FollowResponse;
class FollowResponse_SnapshotBegin;
class FollowResponse_SnapshotNodes;
class FollowResponse_SnapshotEnd;
class FollowResponse_Version;
}  // namespace idzone::feed::v1

namespace idzone::replica {

class FollowerMetrics;

struct FollowerOptions {
  VerifyMode verify = VerifyMode::kAll;
  std::optional<AnchorSet> anchors;  // none: trust on first use
  /// Where the edge stood before its replica was lost: a zone that is not held must not begin before that.
  std::map<dns::Name, zone::ZonePosition> floors;
  ShrinkLimit shrink;
  AcceptFile accept{""};
  int positions_per_hello = limits::kFeedPositionsMax;
};

/// The follower's side of the dialogue (feed_service.proto), without the transport: it answers each message once what
/// the message asks for is verified and durable. What cannot be verified is refused, and its zone stays as it is until
/// a snapshot of it begins. A zone below a cut is served from the moment on in which its parent delegates to it.
/// Errors: an error value means that the replica cannot be written; nothing may be answered then.
/// Threads: one.
class Follower {
 public:
  /// All must outlive it; `metrics` may be null.
  Follower(ReplicaWriter& writer, FollowerOptions options, const Clock& clock, FollowerMetrics* metrics);

  /// Begins a stream: forgets what the last one left half done and returns the Hello, in as many messages as it takes.
  Result<std::vector<feed::v1::FollowRequest>> Begin();
  /// Takes a message; returns its answer.
  Result<feed::v1::FollowRequest> Answer(const feed::v1::FollowResponse& message);

  /// Says whether everything that the feed had at one moment of this stream has been applied.
  bool current() const { return current_; }
  /// The same, zones that were refused aside.
  bool caught_up() const { return caught_up_; }
  /// Says whether it knows by now that it lacks something: a zone was refused, or the feed says so.
  bool lags() const { return behind_ || !refused_.empty(); }
  /// Zones whose last version or snapshot was refused.
  const std::set<dns::Name>& refused() const { return refused_; }
  /// Zones that are held back until an operator says a word (follower_history.h), each with the reason.
  const std::map<dns::Name, std::string>& held_back() const { return held_back_; }

 private:
  struct Snapshot {
    dns::Name zone;
    zone::ZonePosition position;
    std::uint64_t node_count = 0;
    std::uint64_t nodes_seen = 0;
    zone::NodeChange apex;
    ZoneJudge judge;
    std::vector<Octets> new_pins;              // to be kept with the snapshot; empty: the pins stay as they are
    std::optional<dns::Name> parent;           // it is not trusted before that zone's DS records say so
    WaitingChildren::Delegations delegations;  // to the children that wait
  };
  /// What became of a message: zones and their new positions, that of the message first; none for a part, or something that is
  /// ignored.
  using Reached = std::vector<std::pair<dns::Name, zone::ZonePosition>>;
  using Effect = Result<Reached>;

  Effect ApplyVersions(const std::vector<const feed::v1::FollowResponse_Version*>& messages);
  /// Verifies a version; notes the zone to blame when it fails.
  /// Remembers that a version leads on from another history than ours.
  void NoteFork(const dns::Name& zone, const zone::ZonePosition& held, const feed::v1::FollowResponse_Version& message);
  Result<VersionWrite> Judge(const dns::Name& zone, const feed::v1::FollowResponse_Version& message, bool is_first);
  Effect ApplyBegin(const dns::Name& zone, const feed::v1::FollowResponse_SnapshotBegin& message);
  Effect ApplyNodes(const dns::Name& zone, const feed::v1::FollowResponse_SnapshotNodes& message);
  Effect ApplyEnd(const dns::Name& zone);
  Effect Dispatch(const dns::Name& zone, const feed::v1::FollowResponse& message);
  feed::v1::FollowRequest Refuse(const Octets& zone_wire, const Error& error);
  Result<void> CheckPast(const dns::Name& zone, const zone::ZonePosition& held, const zone::ZonePosition& offered, std::uint64_t nodes);
  void HoldBack(const dns::Name& zone, const Error& error);
  /// Returns the pins to keep with an apex that was verified; empty when they are as kept, or nothing was verified.
  std::vector<Octets> NewPins(const dns::Name& zone, const std::vector<dns::RrSet>& apex, const std::vector<Octets>& kept) const;
  static void LogPins(const dns::Name& zone, const std::vector<Octets>& kept, const std::vector<Octets>& pins);
  /// Returns the DS RDATA by which a zone's keys are judged: its own pins, else what the zone above it says of it.
  struct Trust {
    std::vector<Octets> pins;
    bool own = true;  // false: the parent's, which the replica need not keep
  };
  Result<Trust> TrustFor(const dns::Name& zone, const std::vector<Octets>& kept) const;
  /// Notes that children are served from now on.
  void Release(const std::vector<dns::Name>& children, Reached& reached);
  Result<void> Drop(dns::Name zone);
  /// Passes a writer's result on and remembers when the disk, and not the data, is to blame.
  template <typename T>
  Result<T> Written(Result<T> result);

  ReplicaWriter& writer_;
  const FollowerOptions options_;
  const Clock& clock_;
  FollowerMetrics* const metrics_;
  std::optional<Snapshot> snapshot_;
  KeyMemory keys_;
  WaitingChildren waiting_;
  std::set<dns::Name> refused_;
  std::map<dns::Name, std::string> held_back_;
  std::map<dns::Name, zone::Epoch> forked_;  // zones whose history is another one than ours, as of that epoch
  std::optional<Error> broken_;
  std::optional<dns::Name> to_blame_;  // of Versions
  bool current_ = false;
  bool caught_up_ = false;
  bool behind_ = false;  // by the last heartbeat
};

}  // namespace idzone::replica
