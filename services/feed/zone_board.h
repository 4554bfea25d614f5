// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "services/store/feed_store.h"

namespace idzone::feed {

class Metrics;

/// A version that has been decoded once, so that it holds nothing but what the allow-list names.
using VersionPointer = std::shared_ptr<const store::FeedVersion>;
using ZoneList = std::vector<store::FeedZone>;

/// Says whether a version is the next one for who stands at a position.
bool Follows(const store::FeedVersion& version, const zone::ZonePosition& position);

/// Where every zone stands, read by one thread for all streams: its cost does not depend on the number of edges. The
/// newest versions are kept in memory; only an edge that is further behind makes the board read the journal again.
/// Quarantine: a zone whose journal or nodes hold what must not be fed leaves the list, loudly, until a restart; the
/// other zones go on.
/// Threads: any; Refresh by one.
class ZoneBoard {
 public:
  ZoneBoard(store::Database& database, Metrics& metrics) : database_(database), metrics_(metrics) {}

  /// Reads what changed and tells the listeners. UNAVAILABLE and the like leave everything as it was.
  Result<void> Refresh();
  /// Says whether the last Refresh could read what there is.
  bool IsFresh() const { return fresh_; }

  /// Returns the zones that are fed and where they stand; null before the first Refresh.
  std::shared_ptr<const ZoneList> Zones() const;

  /// Returns the versions that follow `position` without a gap, some or all of them; none when the journal has no such
  /// chain, when the next one is too great for a message, or when the zone is in quarantine now.
  Result<std::vector<VersionPointer>> VersionsAfter(const store::FeedZone& zone, const zone::ZonePosition& position);

  /// Returns the version that follows another one than `position`, though of the same epoch and serial; nothing: the journal knows none.
  /// Without its delta.
  Result<std::optional<store::FeedVersion>> ForkOf(const store::FeedZone& zone, const zone::ZonePosition& position);

  /// Stops feeding a zone.
  void Quarantine(const store::FeedZone& zone, const Error& error);
  bool Feeds(const store::FeedZone& zone) const;
  /// Returns the zones that are not fed, each with what it held.
  std::vector<Error> Quarantined() const;

  /// Calls `changed` after each Refresh that changed something, until the token dies or shortly after: what it uses
  /// must be its own. It must be quick.
  using ListenerToken = std::shared_ptr<const std::function<void()>>;
  ListenerToken Listen(std::function<void()> changed);

 private:
  struct Recent {
    zone::ZonePosition newest;
    std::deque<VersionPointer> versions;  // each follows the one before; the last one leads to `newest`
    std::size_t octets = 0;
    bool quarantined = false;
    Error error;  // why
  };

  /// Returns those of the versions that follow `after` without a gap, decoded, not beyond where the zone stands.
  std::vector<VersionPointer> ChainOf(const store::FeedZone& zone, const zone::ZonePosition& after,
                                      std::vector<store::FeedVersion> versions);
  Result<void> Look();
  Result<void> Follow(const ZoneList& zones);
  void Remember(const store::FeedZone& zone, std::vector<VersionPointer> chain);
  void Publish(const ZoneList& zones);

  store::Database& database_;
  Metrics& metrics_;
  std::atomic<bool> fresh_ = false;
  mutable std::mutex mutex_;
  std::map<std::int32_t, Recent> recent_;
  std::size_t recent_octets_max_ = 0;  // of one zone
  bool republish_ = false;             // a zone went into quarantine between two polls
  std::shared_ptr<const ZoneList> zones_;
  std::vector<std::weak_ptr<const std::function<void()>>> listeners_;
};

}  // namespace idzone::feed
