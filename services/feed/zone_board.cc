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
/// All zones together; a namespace may have thousands.
constexpr std::size_t kRecentOctetsOfAllMax = 256UL * 1024 * 1024;
/// Zones whose journals one statement reads, and the octets that it reads of one: many move together, each a little.
constexpr std::size_t kZonesFollowedAtOnce = 256;
constexpr std::int64_t kOctetsFollowedMin = 256 * 1024;
/// One message must hold the delta and its envelope.
constexpr std::int64_t kDeltaOctetsMax = limits::kFeedMessageOctetsMax - 64 * 1024;
constexpr store::JournalSlice kSlice{.versions_max = 64, .octets_max = 8 * 1024 * 1024, .delta_max = kDeltaOctetsMax};

}  // namespace

bool Follows(const store::FeedVersion& version, const zone::ZonePosition& position) {
  return version.position.epoch == position.epoch && version.previous_serial == position.serial &&
         version.previous_digest == position.digest;
}

Result<void> ZoneBoard::Refresh() {
  const Result<void> looked = Look();
  fresh_ = looked.has_value();
  return looked;
}

Result<void> ZoneBoard::Look() {
  auto zones = store::ListFeedZones(database_);
  if (!zones) return tl::unexpected(zones.error());
  bool changed = Zones() == nullptr;
  ZoneList moved;
  {
    const std::scoped_lock lock(mutex_);
    recent_octets_max_ = std::min(kRecentOctetsMax, kRecentOctetsOfAllMax / std::max<std::size_t>(zones->size(), 1));
    for (const store::FeedZone& zone : *zones) {
      const auto [entry, is_new] = recent_.try_emplace(zone.zone_id);
      if (is_new) entry->second.newest = zone.position;
      changed = changed || is_new;
      if (entry->second.newest != zone.position && !entry->second.quarantined) moved.push_back(zone);
    }
  }
  changed = changed || !moved.empty();
  if (auto followed = Follow(moved); !followed) return followed;
  {
    const std::scoped_lock lock(mutex_);
    changed = std::exchange(republish_, false) || changed;
  }
  if (changed) Publish(*zones);
  return {};
}

/// Brings the memory of zones to their newest versions.
Result<void> ZoneBoard::Follow(const ZoneList& zones) {
  for (std::size_t begin = 0; begin < zones.size(); begin += kZonesFollowedAtOnce) {
    const std::size_t count = std::min(kZonesFollowedAtOnce, zones.size() - begin);
    std::vector<store::JournalPlace> places;
    {
      const std::scoped_lock lock(mutex_);
      for (std::size_t i = begin; i < begin + count; ++i) places.push_back({zones[i].zone_id, recent_[zones[i].zone_id].newest});
    }
    store::JournalSlice slice = kSlice;
    slice.octets_max = std::max(kOctetsFollowedMin, kSlice.octets_max / static_cast<std::int64_t>(count));
    auto journals = store::ReadJournals(database_, places, slice);
    if (!journals) return tl::unexpected(journals.error());
    for (std::size_t i = begin; i < begin + count; ++i)
      Remember(zones[i], ChainOf(zones[i], places[i - begin].after, std::move((*journals)[zones[i].zone_id])));
  }
  return {};
}

/// Adds to the memory of one zone, or empties it when the versions do not lead to where the zone stands.
void ZoneBoard::Remember(const store::FeedZone& zone, std::vector<VersionPointer> chain) {
  const std::scoped_lock lock(mutex_);
  Recent& recent = recent_[zone.zone_id];
  for (VersionPointer& version : chain) {
    recent.octets += version->delta.size();
    recent.newest = version->position;
    recent.versions.push_back(std::move(version));
  }
  if (recent.newest != zone.position) {
    recent.newest = zone.position;
    recent.versions.clear();
    recent.octets = 0;
  }
  while (recent.versions.size() > kRecentVersionsMax || recent.octets > recent_octets_max_) {
    recent.octets -= recent.versions.front()->delta.size();
    recent.versions.pop_front();
  }
}

std::vector<VersionPointer> ZoneBoard::ChainOf(const store::FeedZone& zone, const zone::ZonePosition& after,
                                               std::vector<store::FeedVersion> versions) {
  std::vector<VersionPointer> chain;
  const zone::ZonePosition* previous = &after;
  for (store::FeedVersion& version : versions) {
    const bool follows = version.previous_serial == previous->serial && version.previous_digest == previous->digest;
    if (!follows || version.oversized) break;
    // The journal may be ahead of the moment at which the zones were listed. What came later may delegate to a zone that is not
    // in that list, and must not be fed before it.
    if (dns::SerialLess(zone.position.serial, version.position.serial)) break;
    // Decoded before anybody is sent it: whatever stands in the database, a forbidden type does not leave this process.
    if (auto decoded = zone::DecodeDelta(version.delta, zone.name, zone.denial); !decoded) {
      if (decoded.error().reason == Reason::kRecordTypeForbidden) {
        Quarantine(zone, decoded.error());
        return {};
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
    const auto next = std::find_if(recent.versions.begin(), recent.versions.end(),
                                   [&](const VersionPointer& version) { return Follows(*version, position); });
    if (next != recent.versions.end()) {
      // A session may still be going through an older list.
      const auto end = std::find_if(next, recent.versions.end(), [&](const VersionPointer& version) {
        return dns::SerialLess(zone.position.serial, version->position.serial);
      });
      return std::vector<VersionPointer>(next, end);
    }
  }
  if (position.epoch != zone.position.epoch) return std::vector<VersionPointer>();
  auto journals = store::ReadJournals(database_, {{zone.zone_id, position}}, kSlice);
  if (!journals) return tl::unexpected(journals.error());
  return ChainOf(zone, position, std::move((*journals)[zone.zone_id]));
}

Result<std::optional<store::FeedVersion>> ZoneBoard::ForkOf(const store::FeedZone& zone, const zone::ZonePosition& position) {
  // Its place is enough, and its delta stays where it is.
  auto journals = store::ReadJournals(database_, {{zone.zone_id, position}}, {.versions_max = 1, .octets_max = 1, .delta_max = 0});
  if (!journals) return tl::unexpected(journals.error());
  for (store::FeedVersion& next : (*journals)[zone.zone_id]) {
    if (next.position.epoch == position.epoch && next.previous_serial == position.serial && next.previous_digest != position.digest)
      return std::optional(std::move(next));
  }
  return std::nullopt;
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
      metrics_.SetSerial(zone.name, recent.newest.serial);
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
