// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/pdns_caches.h"

#include "pdns/auth-caches.hh"
#include "pdns/auth-zonecache.hh"
#include "pdns/dnsseckeeper.hh"

#include "services/nameserver/pdns_api.h"

namespace idzone::nameserver {
namespace {

/// Zones that come or go at once. Whoever asks first then waits 0.4 ms for each (measured with pdns_server 4.7 and an empty cache), or 0.7
/// ms for everything; but everything has to be answered anew.
constexpr std::size_t kForgottenSingly = 16;

DNSName FromWire(OctetsView wire) {
  return DNSName(wire.data(), static_cast<int>(wire.size()), 0, false);
}

}  // namespace

void PdnsCaches::ForgetName(OctetsView name) {
  served_.CountForgottenName();
  purgeAuthCachesExact(FromWire(name));
}

void PdnsCaches::ForgetBelow(OctetsView name) {
  served_.CountForgottenName();
  // A final $ is PowerDNS's sign for "and all below".
  purgeAuthCaches(FromWire(name).toString() + "$");
}

void PdnsCaches::ForgetZone(OctetsView apex) {
  DNSSECKeeper::clearCaches(PdnsZoneName(FromWire(apex)));
  ForgetBelow(apex);
}

void PdnsCaches::ForgetAll() {
  served_.CountForgottenAll();
  DNSSECKeeper::clearAllCaches();
  purgeAuthCaches();
}

void PdnsCaches::ForgetZones(const std::vector<OctetsView>& apexes) {
  if (apexes.empty() || apexes.size() > kForgottenSingly) return ForgetAll();
  for (const OctetsView apex : apexes) ForgetZone(apex);
}

void PdnsCaches::SetZone(OctetsView apex, std::optional<replica::ZoneNumber> number) {
  if (number) {
    g_zoneCache.add(PdnsZoneName(FromWire(apex)), static_cast<PdnsZoneNumber>(*number));
  } else {
    g_zoneCache.remove(PdnsZoneName(FromWire(apex)));
  }
}

}  // namespace idzone::nameserver
