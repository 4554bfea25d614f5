// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/zone_news.h"

namespace idzone::nameserver {

ZoneNews::Latest ZoneNews::TellUpTo(replica::Snapshot& snapshot, const std::shared_ptr<replica::Environment>& environment,
                                    std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  // A replica that was made anew may number its zones otherwise.
  if (environment_.lock() != environment) {
    environment_ = environment;
    place_.reset();
  } else if (place_ && snapshot.commit() <= commit_) {
    return latest_;
  }
  const auto changes = snapshot.ChangesAfter(place_.value_or(0));
  if (!changes) return latest_;
  bool told = true;
  if (!place_ || changes->gap) {
    TellAll(snapshot);
  } else {
    told = TellChanged(snapshot, changes->names);
  }
  if (told) latest_ = {.commit = snapshot.commit(), .told_at = now};
  place_ = changes->last;
  commit_ = snapshot.commit();
  return latest_;
}

void ZoneNews::TellAll(replica::Snapshot& snapshot) {
  const auto held = snapshot.Zones();
  if (!held) return;
  for (const replica::HeldZone& zone : held->zones) set_zone_(zone.zone.wire(), zone.number);
  forget_({});
}

bool ZoneNews::TellChanged(replica::Snapshot& snapshot, const std::vector<replica::ChangedName>& names) {
  std::vector<OctetsView> apexes;
  for (const replica::ChangedName& changed : names) {
    if (changed.scope != replica::ChangeScope::kZone) continue;
    const auto zone = snapshot.FindZone(changed.name);
    // A damaged one is there: PowerDNS has it in its next list of zones.
    if (zone) set_zone_(changed.name, *zone ? std::optional((*zone)->number) : std::nullopt);
    apexes.push_back(changed.name);
  }
  if (!apexes.empty()) forget_(apexes);
  return !apexes.empty();
}

}  // namespace idzone::nameserver
