// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/routing.h"

#include <unordered_set>

#include "services/core/zone/cut.h"

namespace idzone::signer::pipeline {

Result<WishesByZone> RouteWishes(store::Transaction& transaction, OpenZones& zones, Wishes wishes) {
  const NamespaceSession& home = zones.home();
  WishesByZone routed;
  if (wishes.empty()) return routed;
  if (home.own_zone.cuts_made == 0) {
    routed[zones.Open(home.own_zone).zone.zone_id] = std::move(wishes);
    return routed;
  }
  std::unordered_set<dns::Name> possible;
  for (const auto& [owner, wish] : wishes) {
    for (dns::Name& name : zone::PossibleCuts(home.registered.layout, home.apex(), owner)) possible.insert(std::move(name));
  }
  auto found = store::FindZones(transaction, home.registered.namespace_id, {possible.begin(), possible.end()});
  if (!found) return tl::unexpected(found.error());
  std::unordered_map<dns::Name, const store::ZoneRow*> by_name;
  for (const store::ZoneRow& zone : *found) by_name.emplace(zone.name, &zone);
  for (auto& [owner, wish] : wishes) {
    const store::ZoneRow* owning = &home.own_zone;
    for (const dns::Name& name : zone::PossibleCuts(home.registered.layout, home.apex(), owner)) {
      const auto zone = by_name.find(name);
      if (zone == by_name.end()) continue;
      owning = zone->second;
      break;
    }
    routed[zones.Open(*owning).zone.zone_id].emplace(owner, std::move(wish));
  }
  return routed;
}

}  // namespace idzone::signer::pipeline
