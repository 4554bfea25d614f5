// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/feed/follower_ledger.h"
#include "services/feed/metrics.h"
#include "services/feed/position_recorder.h"
#include "services/feed/zone_board.h"

namespace idzone::feed::v1 {
class FollowRequest;
class FollowResponse;
class Position;
class SecondaryReport;
}  // namespace idzone::feed::v1

namespace idzone::feed {

/// What all sessions share. Everything outlives them.
struct FeedParts {
  store::Database& database;  // for snapshots; each takes a connection for as long as it is read
  ZoneBoard& board;
  PositionRecorder& recorder;
  Metrics& metrics;
  std::counting_semaphore<>& snapshots;  // how many may be read at once
};

/// The dialogue with one follower (feed_service.proto), without the transport: `send` blocks as the transport does and
/// returns false when the stream is dead. One thread serves (Serve), another one brings what the follower says
/// (Receive); End may come from any.
class FeedSession {
 public:
  using Send = std::function<bool(const v1::FollowResponse&)>;

  FeedSession(const FeedParts& parts, std::string edge_id, Send send);
  ~FeedSession();

  /// Sends until the session is ended; returns why: nothing when the follower went away by itself.
  /// `check_caller` is asked every few seconds whether the caller may go on.
  Result<void> Serve(const std::function<Result<void>()>& check_caller);
  void Receive(const v1::FollowRequest& request);
  /// Ends the session; the first reason stays.
  void End(std::optional<Error> error);
  /// Ends it when the follower has been silent for too long; says whether it was.
  bool EndIfSilent(TimePoint now);

  bool ended() const;

 private:
  struct Shared;

  /// Records where the edge stands in each zone: nowhere, as long as it serves nothing of what it holds.
  void RecordReached(const ZoneList& zones);
  Result<void> Hello(const v1::FollowRequest& request);
  Result<void> Applied(const v1::FollowRequest& request);
  Result<void> Refused(const v1::FollowRequest& request);
  Result<void> Secondaries(const v1::SecondaryReport& report);

  bool AwaitStart();
  void Round(const ZoneList& zones);
  bool Pass(std::vector<const store::FeedZone*>& behind);
  /// What became of a zone in a pass: it is where it should be, there is more of it, it has to wait, the session is over.
  enum class Brought { kDone, kMore, kDeferred, kOver };
  Brought Bring(const store::FeedZone& zone);
  Brought SendVersions(const store::FeedZone& zone, const zone::ZonePosition& from);
  Result<VersionPointer> NextVersion(const store::FeedZone& zone, const zone::ZonePosition& from);
  VersionPointer TakeAhead(std::deque<VersionPointer>& ahead);
  Brought SendSnapshot(const store::FeedZone& zone);
  /// Tells a follower whose history is another one than ours, as a snapshot would not. Returns false when the session is over.
  bool TellFork(const store::FeedZone& zone);
  /// Sends what waits to be sent together with others. Returns false when the session is over.
  bool SendBundle();
  Result<void> SendNodes(const store::FeedZone& zone, const std::vector<zone::NodeChange>& nodes, std::size_t begin, std::size_t end);
  bool Deliver(const v1::FollowResponse& response, SentMessage message);
  /// Says that the session lives, and whether the follower has all that there is.
  bool Heartbeat(bool behind);

  const FeedParts parts_;
  const std::string edge_id_;
  const Send send_;
  const std::shared_ptr<Shared> shared_;
  TimePoint sent_at_{};
  bool deferred_ = false;  // something that the follower needs waits for a later round
  std::vector<std::pair<dns::Name, VersionPointer>> bundle_;
  std::size_t bundle_octets_ = 0;
  std::unordered_map<std::int32_t, std::deque<VersionPointer>> ahead_;  // by zone: read in this round, and not sent yet
  std::size_t ahead_octets_ = 0;
};

}  // namespace idzone::feed
