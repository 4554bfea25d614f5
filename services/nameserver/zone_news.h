// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "services/replica/reader.h"

/// PowerDNS looks up in a list of its own which zone a question is about, before it asks a backend. Nobody may hear of a zone
/// (by a DS record at its cut) while that list does not have it: the next question would get a referral from the parent where
/// the child has the answer. So whoever takes a snapshot sees to it that the list knows its zones, before answering from it.
namespace idzone::nameserver {

/// Threads: any.
class ZoneNews {
 public:
  /// Tells that there is a zone of that number from now on; nothing: that there is none.
  using SetZone = std::function<void(OctetsView apex, std::optional<replica::ZoneNumber> number)>;

  explicit ZoneNews(SetZone set_zone) : set_zone_(std::move(set_zone)) {}

  /// Tells what zones came and went up to the snapshot's moment. When it returns, that was told, by whomever. What cannot be
  /// read is told when it can be, or by PowerDNS's own list, each second. Requires: the snapshot is held, of that environment.
  void TellUpTo(replica::Snapshot& snapshot, const std::shared_ptr<replica::Environment>& environment);

 private:
  void TellAll(replica::Snapshot& snapshot);
  void TellChanged(replica::Snapshot& snapshot, const std::vector<replica::ChangedName>& names);

  const SetZone set_zone_;
  std::mutex mutex_;
  std::weak_ptr<replica::Environment> environment_;
  std::uint64_t commit_ = 0;            // up to which it was told
  std::optional<std::uint64_t> place_;  // in the list of changes; nothing: not looked at yet
};

}  // namespace idzone::nameserver
