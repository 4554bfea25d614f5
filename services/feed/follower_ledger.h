// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/version.h"

namespace idzone::feed {

using TimePoint = std::chrono::steady_clock::time_point;

/// What a message was, so that its answer can be understood: answers come in the order of the messages.
struct SentMessage {
  dns::Name zone;  // the root for a heartbeat
  bool is_version = false;
  std::optional<zone::ZonePosition> position;  // where the zone stands once the message took effect; none: nowhere new
  /// The same for the other zones of Versions.
  std::vector<std::pair<dns::Name, zone::ZonePosition>> others{};
};

/// What the server knows of one follower: what it was sent, what it answered, and what it should be sent next.
/// Pure: it takes the time as an argument and sends nothing. Threads: one at a time.
class FollowerLedger {
 public:
  enum class Step { kNothing, kVersions, kSnapshot };
  using Positions = std::vector<std::pair<dns::Name, zone::ZonePosition>>;

  /// Takes a zone's position from the Hello.
  void Hold(const dns::Name& zone, const zone::ZonePosition& position);
  bool Holds(const dns::Name& zone) const { return zones_.contains(zone); }

  /// Says what the follower needs of a zone that now stands at `newest`.
  Step Next(const dns::Name& zone, const zone::ZonePosition& newest, TimePoint now) const;
  /// Returns where the follower will stand when it has applied all that was sent; an empty digest: nowhere.
  zone::ZonePosition Sent(const dns::Name& zone) const;

  /// Returns where the follower stands by its own word; an empty digest: nowhere.
  zone::ZonePosition Reached(const dns::Name& zone) const;
  /// The same, unless that was compared with our history since it came there.
  std::optional<zone::ZonePosition> NotYetCompared(const dns::Name& zone) const;
  void NoteCompared(const dns::Name& zone) { zones_[zone].compared = true; }

  bool WindowOpen() const { return outstanding_.size() < kWindow; }
  void Send(SentMessage message);

  /// A snapshot is on its way from Begin to End; a refusal in between ends it.
  void BeginSnapshot(const dns::Name& zone);
  bool SnapshotGoesOn(const dns::Name& zone) const;
  /// A snapshot that the server could not read: it is tried again, later.
  void FailSnapshot(const dns::Name& zone, TimePoint now);
  /// Says whether the follower waits for a snapshot because the server could not read the last one.
  bool HasFailed(const dns::Name& zone) const;

  /// Takes an Applied; returns the message that it answers. `others`: what it says of other zones than the message's, which may be fewer
  /// than came with it (those that the follower has refused are not among them), or children that were sent before. VALUE_MALFORMED when
  /// nothing is outstanding, or when the position is not the one that the message leads to.
  Result<SentMessage> Apply(const std::optional<zone::ZonePosition>& position, const Positions& others = {});
  /// Takes a Refusal of a zone: what follows is a snapshot, at once for the first refusal, after 5 s, 10 s … 5 min for
  /// the next ones until a version is applied again. Zones that were sent together with it get one at once, too, for the
  /// follower has dropped them. VALUE_MALFORMED when it does not answer a message on that zone.
  Result<SentMessage> Refuse(const dns::Name& zone, TimePoint now);

  std::size_t outstanding() const { return outstanding_.size(); }

  /// The window of the protocol: messages under way without an answer.
  static constexpr std::size_t kWindow = 16;

 private:
  struct Zone {
    zone::ZonePosition sent;
    zone::ZonePosition reached;  // by its own word; an empty digest: nowhere
    bool compared = false;
    bool wants_snapshot = false;
    bool in_snapshot = false;
    bool has_failed = false;
    unsigned refusals = 0;
    TimePoint not_before{};
  };

  static void Reach(Zone& zone, const zone::ZonePosition& position);
  static void Delay(Zone& zone, TimePoint now);

  std::unordered_map<dns::Name, Zone> zones_;
  std::deque<SentMessage> outstanding_;
};

}  // namespace idzone::feed
