// SPDX-License-Identifier: MIT
#include "services/transfer/secondary_watch.h"

#include <algorithm>
#include <set>

namespace idzone::transfer {

void SecondaryWatch::SetZones(const std::vector<ZoneNow>& zones) {
  std::set<dns::Name> present;
  for (const ZoneNow& now : zones) {
    present.insert(now.zone);
    Zone& zone = zones_[now.zone];
    zone.peers.resize(secondaries_);
    zone.optional = now.optional;
    if (!zone.history.empty() && zone.history.back() == now.position) continue;
    zone.history.push_back(now.position);
    if (zone.history.size() > kHistoryMax) zone.history.pop_front();
  }
  std::erase_if(zones_, [&](const auto& entry) { return !present.contains(entry.first); });
}

void SecondaryWatch::Notify(const dns::Name& name, Zone& zone, TimePoint now, std::size_t max, std::vector<Due>& due) const {
  if (zone.notified_at && now - *zone.notified_at < notify_period_) return;
  if (due.size() + secondaries_ > max) return;  // all of them or, the next time, all of them
  for (std::size_t i = 0; i < secondaries_; ++i) {
    Peer& peer = zone.peers[i];
    const bool due_now = zone.IsBehind(peer) ? peer.notify_at <= now : zone.optional && peer.refused && peer.told != zone.serial();
    if (!due_now) continue;
    peer.told = zone.serial();
    due.push_back({i, name, Opcode::kNotify});
    zone.notified_at = now;
    peer.notify_at = now + notify_period_ * peer.periods;
    peer.periods = std::min(peer.periods * 2, kPeriodsMax);
    peer.pause = kAskFirst;
    peer.ask_at = now + kAskFirst;
  }
}

std::vector<Due> SecondaryWatch::TakeDue(TimePoint now, std::size_t max) {
  std::vector<Due> due;
  for (auto& [name, zone] : zones_) Notify(name, zone, now, max, due);
  for (auto& [name, zone] : zones_) {
    for (std::size_t i = 0; i < secondaries_ && due.size() < max; ++i) {
      Peer& peer = zone.peers[i];
      if (peer.ask_at > now) continue;
      due.push_back({i, name, Opcode::kQuery});
      peer.ask_at = now + peer.pause;
      peer.pause = std::min(peer.pause * 2, zone.IsBehind(peer) ? kAskBehindMax : kAskCurrent);
    }
  }
  return due;
}

void SecondaryWatch::Answered(std::size_t secondary, const dns::Name& zone, std::optional<dns::Serial> serial, bool refused,
                              TimePoint now) {
  const auto found = zones_.find(zone);
  if (found == zones_.end() || secondary >= secondaries_) return;
  Peer& peer = found->second.peers[secondary];
  peer.answered = true;
  peer.refused = refused;
  peer.serial = serial;
  if (serial) {
    peer.periods = 1;
    peer.notify_at = TimePoint();  // the zone's own period is what holds for it
  }
  if (found->second.IsBehind(peer)) return;
  peer.pause = kAskCurrent;
  peer.ask_at = now + kAskCurrent;
}

std::size_t SecondaryWatch::CountBehind(std::size_t secondary) const {
  return static_cast<std::size_t>(
      std::count_if(zones_.begin(), zones_.end(), [&](const auto& entry) { return entry.second.IsBehind(entry.second.peers[secondary]); }));
}

std::vector<Standing> SecondaryWatch::Standings() const {
  std::vector<Standing> standings;
  for (const auto& [name, zone] : zones_) {
    for (std::size_t i = 0; i < secondaries_ && !zone.optional; ++i) {
      if (!zone.peers[i].answered) continue;
      Standing standing{i, name, zone.peers[i].serial.has_value(), {}};
      const auto known = std::find_if(zone.history.rbegin(), zone.history.rend(),
                                      [&](const zone::ZonePosition& position) { return zone.peers[i].serial == position.serial; });
      if (known != zone.history.rend()) standing.position = *known;
      standings.push_back(std::move(standing));
    }
  }
  return standings;
}

}  // namespace idzone::transfer
