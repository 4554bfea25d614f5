// SPDX-License-Identifier: MIT
#include "services/feed/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <unordered_map>

namespace idzone::feed {
namespace {

using CounterFamily = prometheus::Family<prometheus::Counter>;
using GaugeFamily = prometheus::Family<prometheus::Gauge>;

CounterFamily& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

GaugeFamily& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry& registry)
      : followers(Gauges(registry, "idzone_feed_followers", "Edges that are connected").Add({})),
        zones(Gauges(registry, "idzone_feed_zones", "Zones, by state; a quarantined one holds what must not be fed")),
        serial(Gauges(registry, "idzone_feed_zone_serial", "The newest serial that is fed, by zone")),
        versions(Counters(registry, "idzone_feed_versions_sent_total", "Versions sent to edges").Add({})),
        octets(Counters(registry, "idzone_feed_version_octets_sent_total", "Octets of versions sent to edges").Add({})),
        snapshots(Counters(registry, "idzone_feed_snapshots_total", "Snapshots, by outcome")),
        refusals(Counters(registry, "idzone_feed_refusals_total", "What edges refused, by reason")),
        poll_failures(Counters(registry, "idzone_feed_poll_failures_total", "Times that PostgreSQL could not be read").Add({})) {}

  prometheus::Gauge& followers;
  GaugeFamily& zones;
  GaugeFamily& serial;
  std::unordered_map<dns::Name, dns::Serial> serials;
  prometheus::Counter& versions;
  prometheus::Counter& octets;
  CounterFamily& snapshots;
  CounterFamily& refusals;
  prometheus::Counter& poll_failures;
};

Metrics::Metrics(prometheus::Registry& registry) : families_(std::make_unique<Families>(registry)) {}
Metrics::~Metrics() = default;

void Metrics::SetFollowers(std::size_t followers) {
  families_->followers.Set(static_cast<double>(followers));
}

void Metrics::SetZones(std::size_t fed, std::size_t quarantined) {
  families_->zones.Add({{"state", "fed"}}).Set(static_cast<double>(fed));
  families_->zones.Add({{"state", "quarantined"}}).Set(static_cast<double>(quarantined));
}

void Metrics::SetSerial(const dns::Name& zone, dns::Serial serial) {
  const auto known = families_->serials.find(zone);
  if (known == families_->serials.end() && families_->serials.size() >= kZonesMax) return;
  if (known != families_->serials.end() && known->second == serial) return;
  families_->serials[zone] = serial;
  families_->serial.Add({{"zone", zone.Format()}}).Set(static_cast<double>(serial));
}

void Metrics::CountVersion(std::size_t octets) {
  families_->versions.Increment();
  families_->octets.Increment(static_cast<double>(octets));
}

void Metrics::CountSnapshot(std::string_view outcome) {
  families_->snapshots.Add({{"outcome", std::string(outcome)}}).Increment();
}

void Metrics::CountRefusal(std::string_view reason) {
  families_->refusals.Add({{"reason", std::string(reason)}}).Increment();
}

void Metrics::CountPollFailure() {
  families_->poll_failures.Increment();
}

}  // namespace idzone::feed
