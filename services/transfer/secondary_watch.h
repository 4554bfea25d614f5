// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "services/core/dns/name.h"
#include "services/core/zone/version.h"
#include "services/transfer/dns_message.h"

/// Who of the secondaries stands where, and what is to be said to whom now: pure, time is an argument.
///
/// A zone that changes is told to the secondaries that are behind, at once but at most once per period: that is what bounds
/// how often they transfer it, and so, with the transfer's own time, how soon a revocation reaches them. Then each of them is
/// asked for its serial, soon, and ever less often while it stays behind; a NOTIFY that was lost is repeated with the next
/// period, and ever more rarely to one that does not answer or does not know the zone. One that has the newest serial is asked
/// now and then.
/// Limits: answers are unsigned UDP; what one claims falsely hastens or delays somebody's wait, and nothing else.
namespace idzone::transfer {

using TimePoint = std::chrono::steady_clock::time_point;

/// A zone, and the version of it that is served here.
struct ZoneNow {
  dns::Name zone;
  zone::ZonePosition position;
  /// The catalog: who refuses to speak of it is not behind, but told of each version once. It may be no consumer, or one that
  /// answers no questions about it (Knot).
  bool optional = false;
};

/// Something to send.
struct Due {
  std::size_t secondary = 0;
  dns::Name zone;
  Opcode opcode = Opcode::kQuery;
};

/// Where a secondary stands in a zone.
struct Standing {
  std::size_t secondary = 0;
  dns::Name zone;
  bool serves = false;          // it gave a serial
  zone::ZonePosition position;  // all 0: that serial is of none of the last versions here

  friend bool operator==(const Standing&, const Standing&) = default;
};

class SecondaryWatch {
 public:
  static constexpr std::chrono::milliseconds kAskFirst{250};
  static constexpr std::chrono::milliseconds kAskBehindMax{10'000};
  static constexpr std::chrono::milliseconds kAskCurrent{60'000};
  /// Periods between two NOTIFY messages to one that stays behind and does not answer.
  static constexpr int kPeriodsMax = 32;
  /// Versions of a zone whose serials are known by their epoch and digest.
  static constexpr std::size_t kHistoryMax = 256;

  SecondaryWatch(std::size_t secondaries, std::chrono::milliseconds notify_period)
      : secondaries_(secondaries), notify_period_(notify_period) {}

  /// The zones that there are now; others are forgotten.
  void SetZones(const std::vector<ZoneNow>& zones);
  /// Returns what is to be sent now, at most `max`, and takes it for sent.
  std::vector<Due> TakeDue(TimePoint now, std::size_t max);
  /// An answer to QUERY came: with a serial, or, `refused`, that there is no such zone, or with neither (it is not loaded
  /// yet, or has expired). Unknown zones are ignored.
  void Answered(std::size_t secondary, const dns::Name& zone, std::optional<dns::Serial> serial, bool refused, TimePoint now);

  /// Returns how many zones a secondary does not have in the newest version.
  std::size_t CountBehind(std::size_t secondary) const;
  /// Returns where each stands in each zone that is not optional, in the order of zones, as far as they have answered.
  std::vector<Standing> Standings() const;

 private:
  struct Peer {
    bool answered = false;
    bool refused = false;
    std::optional<dns::Serial> told;
    std::optional<dns::Serial> serial;
    TimePoint notify_at{};
    int periods = 1;
    TimePoint ask_at{};
    std::chrono::milliseconds pause = kAskFirst;
  };
  struct Zone {
    std::deque<zone::ZonePosition> history;  // the newest last
    bool optional = false;
    std::optional<TimePoint> notified_at;
    std::vector<Peer> peers;

    dns::Serial serial() const { return history.back().serial; }
    bool IsBehind(const Peer& peer) const {
      if (optional && peer.refused) return false;
      return peer.serial != serial();
    }
  };

  void Notify(const dns::Name& name, Zone& zone, TimePoint now, std::size_t max, std::vector<Due>& due) const;

  const std::size_t secondaries_;
  const std::chrono::milliseconds notify_period_;
  std::map<dns::Name, Zone> zones_;
};

}  // namespace idzone::transfer
