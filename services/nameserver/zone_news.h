// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "services/replica/reader.h"

/// PowerDNS looks up in a list of its own which zone a question is about, before it asks a backend. Nobody may hear of a zone
/// (by a DS record at its cut) while that list does not have it: the next question would get a referral from the parent where
/// the child has the answer. Nor may anybody who has heard the child be told of a time before it: a validator that has the child's signed
/// answer, and then hears from a cache of PowerDNS's that there is no DS record, may call that bogus. So whoever takes a snapshot sees to
/// it that the list knows its zones, and that answers of before about their names are forgotten, before answering from it.
namespace idzone::nameserver {

/// Threads: any.
class ZoneNews {
 public:
  /// Tells that there is a zone of that number from now on; nothing: that there is none.
  using SetZone = std::function<void(OctetsView apex, std::optional<replica::ZoneNumber> number)>;

  /// Forgets answers of before about names of these zones, which came or went; none: of all zones.
  using Forget = std::function<void(const std::vector<OctetsView>& apexes)>;

  /// What was told last: the version that zones came or went with (a commit of the replica), and when.
  struct Latest {
    std::uint64_t commit = 0;
    std::chrono::steady_clock::time_point told_at;
  };

  explicit ZoneNews(SetZone set_zone, Forget forget) : set_zone_(std::move(set_zone)), forget_(std::move(forget)) {}

  /// Tells what zones came and went up to the snapshot's moment. When it returns, that was told, by whomever. What cannot be
  /// read is told when it can be, or by PowerDNS's own list, each second. Requires: the snapshot is held, of that environment.
  Latest TellUpTo(replica::Snapshot& snapshot, const std::shared_ptr<replica::Environment>& environment,
                  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

 private:
  void TellAll(replica::Snapshot& snapshot);
  /// Returns whether there was anything to tell.
  bool TellChanged(replica::Snapshot& snapshot, const std::vector<replica::ChangedName>& names);

  const SetZone set_zone_;
  const Forget forget_;
  std::mutex mutex_;
  std::weak_ptr<replica::Environment> environment_;
  std::uint64_t commit_ = 0;            // up to which it was told
  std::optional<std::uint64_t> place_;  // in the list of changes; nothing: not looked at yet
  Latest latest_;
};

}  // namespace idzone::nameserver
