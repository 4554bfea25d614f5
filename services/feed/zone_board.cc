// SPDX-License-Identifier: MIT
#include "services/feed/zone_board.h"

#include <algorithm>
#include <utility>

#include "services/core/base/limits.h"
#include "services/feed/metrics.h"
#include "services/process/log.h"

namespace idzone::feed {
namespace {

/// What is kept of a zone in memory: minutes of it under load, for edges that are a little behind.
constexpr std::size_t kRecentVersionsMax = 256;
constexpr std::size_t kRecentOctetsMax = 16UL * 1024 * 1024;
/// One message must hold the delta and its envelope.
constexpr std::int64_t kDeltaOctetsMax = limits::kFeedMessageOctetsMax - 64 * 1024;
constexpr store::JournalSlice kSlice{.versions_max = 64, .octets_max = 8 * 1024 * 1024, .delta_max = kDeltaOctetsMax};

}  // namespace

Result<void> ZoneBoard::Refresh() {
  auto zones = store::ListFeedZones(database_);
  if (!zones) return tl::unexpected(zones.error());
  bool changed = Zones() == nullptr;
  for (store::FeedZone& zone : *zones) {
    {
      const std::scoped_lock lock(mutex_);
      const auto [entry, is_new] = recent_.try_emplace(zone.zone_id);
      if (is_new) entry->second.newest = zone.position;
      changed = changed || is_new;
      if (entry->second.newest == zone.position || entry->second.quarantined) continue;
    }
    changed = true;
    if (auto followed = Follow(zone); !followed) return followed;
  }
  {
    const std::scoped_lock lock(mutex_);
    changed = std::exchange(republish_, false) || changed;
  }
  if (changed) Publish(*zones);
  return {};
}

/// Brings the memory of one zone to its newest version, or empties it when the journal does not lead there at once.
Result<void> ZoneBoard::Follow(const store::FeedZone& zone) {
  zone::ZonePosition from;
  {
    const std::scoped_lock lock(mutex_);
    from = recent_[zone.zone_id].newest;
  }
  auto chain = ReadChain(zone, from);
  if (!chain) return tl::unexpected(chain.error());
  const std::scoped_lock lock(mutex_);
  Recent& recent = recent_[zone.zone_id];
  for (VersionPointer& version : *chain) {
    recent.octets += version->delta.size();
    recent.newest = version->position;
    recent.versions.push_back(std::move(version));
  }
  // The journal may already be ahead of the row that was read before it; it may not be behind, or elsewhere.
  const bool reached = recent.newest == zone.position ||
                       (recent.newest.epoch == zone.position.epoch && dns::SerialLess(zone.position.serial, recent.newest.serial));
  if (!reached) {
    recent.newest = zone.position;
    recent.versions.clear();
    recent.octets = 0;
  }
  while (recent.versions.size() > kRecentVersionsMax || recent.octets > kRecentOctetsMax) {
    recent.octets -= recent.versions.front()->delta.size();
    recent.versions.pop_front();
  }
  return {};
}

Result<std::vector<VersionPointer>> ZoneBoard::ReadChain(const store::FeedZone& zone, const zone::ZonePosition& after) {
  auto versions = store::ReadJournal(database_, zone.zone_id, after, kSlice);
  if (!versions) return tl::unexpected(versions.error());
  std::vector<VersionPointer> chain;
  const zone::ZonePosition* previous = &after;
  for (store::FeedVersion& version : *versions) {
    const bool follows = version.previous_serial == previous->serial && version.previous_digest == previous->digest;
    if (!follows || version.oversized) break;
    // Decoded before anybody is sent it: whatever stands in the database, a forbidden type does not leave this process.
    if (auto decoded = zone::DecodeDelta(version.delta, zone.name, zone.denial); !decoded) {
      if (decoded.error().reason == Reason::kRecordTypeForbidden) {
        Quarantine(zone, decoded.error());
        return std::vector<VersionPointer>();
      }
      // Damaged, not forged: the snapshot that follows leads past it.
      process::LogError(process::LogLevel::kError, "feed.version_unreadable", decoded.error(),
                        {{"zone", zone.name.Format()}, {"serial", version.position.serial}});
      break;
    }
    chain.push_back(std::make_shared<const store::FeedVersion>(std::move(version)));
    previous = &chain.back()->position;
  }
  return chain;
}

Result<std::vector<VersionPointer>> ZoneBoard::VersionsAfter(const store::FeedZone& zone, const zone::ZonePosition& position) {
  {
    const std::scoped_lock lock(mutex_);
    const Recent& recent = recent_[zone.zone_id];
    if (recent.quarantined) return std::vector<VersionPointer>();
    const auto next = std::find_if(recent.versions.begin(), recent.versions.end(), [&](const VersionPointer& version) {
      return version->position.epoch == position.epoch && version->previous_serial == position.serial &&
             version->previous_digest == position.digest;
    });
    if (next != recent.versions.end()) return std::vector<VersionPointer>(next, recent.versions.end());
  }
  if (position.epoch != zone.position.epoch) return std::vector<VersionPointer>();
  return ReadChain(zone, position);
}

void ZoneBoard::Quarantine(const store::FeedZone& zone, const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    Recent& recent = recent_[zone.zone_id];
    if (recent.quarantined) return;
    recent.quarantined = true;
    recent.error = error;
    republish_ = true;
    recent.versions.clear();
    recent.octets = 0;
    recent.newest = {};
  }
  process::LogError(process::LogLevel::kError, "feed.zone_quarantined", error, {{"zone", zone.name.Format()}});
}

bool ZoneBoard::Feeds(const store::FeedZone& zone) const {
  const std::scoped_lock lock(mutex_);
  const auto found = recent_.find(zone.zone_id);
  return found != recent_.end() && !found->second.quarantined;
}

std::vector<Error> ZoneBoard::Quarantined() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Error> errors;
  for (const auto& [zone_id, recent] : recent_) {
    if (recent.quarantined) errors.push_back(recent.error);
  }
  return errors;
}

std::shared_ptr<const ZoneList> ZoneBoard::Zones() const {
  const std::scoped_lock lock(mutex_);
  return zones_;
}

void ZoneBoard::Publish(const ZoneList& zones) {
  std::vector<ListenerToken> listeners;
  {
    const std::scoped_lock lock(mutex_);
    auto fed = std::make_shared<ZoneList>();
    std::size_t quarantined = 0;
    for (const store::FeedZone& zone : zones) {
      const Recent& recent = recent_[zone.zone_id];
      if (recent.quarantined) {
        ++quarantined;
        continue;
      }
      fed->push_back(zone);
      fed->back().position = recent.newest;
    }
    metrics_.SetZones(fed->size(), quarantined);
    zones_ = std::move(fed);
    std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
    for (const auto& listener : listeners_) {
      if (auto alive = listener.lock()) listeners.push_back(std::move(alive));
    }
  }
  for (const ListenerToken& listener : listeners) (*listener)();
}

ZoneBoard::ListenerToken ZoneBoard::Listen(std::function<void()> changed) {
  auto token = std::make_shared<const std::function<void()>>(std::move(changed));
  const std::scoped_lock lock(mutex_);
  listeners_.push_back(token);
  return token;
}

}  // namespace idzone::feed
