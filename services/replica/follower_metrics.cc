// SPDX-License-Identifier: MIT
#include "services/replica/follower_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace idzone::replica {
namespace {

using CounterFamily = prometheus::Family<prometheus::Counter>;

CounterFamily& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

struct FollowerMetrics::Families {
  explicit Families(prometheus::Registry& registry)
      : connected(Gauge(registry, "idzone_replica_connected", "1 while the feed's stream is up")),
        refused_zones(Gauge(registry, "idzone_replica_refused_zones", "Zones whose last version or snapshot was refused")),
        held_back_zones(Gauge(registry, "idzone_replica_held_back_zones", "Zones that wait for an operator's word")),
        last_applied(Gauge(registry, "idzone_replica_last_applied_time_seconds", "When a version or snapshot was last applied")),
        versions(Counters(registry, "idzone_replica_versions_total", "Versions applied").Add({})),
        changes(Counters(registry, "idzone_replica_changes_total", "Nodes changed by versions").Add({})),
        snapshots(Counters(registry, "idzone_replica_snapshots_total", "Snapshots applied").Add({})),
        refusals(Counters(registry, "idzone_replica_refusals_total", "Versions and snapshots refused, by reason")),
        disk_failures(Counters(registry, "idzone_replica_disk_failures_total", "Writes that failed").Add({})) {}

  prometheus::Gauge& connected;
  prometheus::Gauge& refused_zones;
  prometheus::Gauge& held_back_zones;
  prometheus::Gauge& last_applied;
  prometheus::Counter& versions;
  prometheus::Counter& changes;
  prometheus::Counter& snapshots;
  CounterFamily& refusals;
  prometheus::Counter& disk_failures;
};

FollowerMetrics::FollowerMetrics(prometheus::Registry& registry) : families_(std::make_unique<Families>(registry)) {}
FollowerMetrics::~FollowerMetrics() = default;

void FollowerMetrics::SetConnected(bool connected) {
  families_->connected.Set(connected ? 1 : 0);
}

void FollowerMetrics::SetRefusedZones(std::size_t zones) {
  families_->refused_zones.Set(static_cast<double>(zones));
}

void FollowerMetrics::SetHeldBackZones(std::size_t zones) {
  families_->held_back_zones.Set(static_cast<double>(zones));
}

void FollowerMetrics::CountVersion(std::size_t changes, UnixTime now) {
  families_->versions.Increment();
  families_->changes.Increment(static_cast<double>(changes));
  families_->last_applied.Set(static_cast<double>(now.time_since_epoch().count()));
}

void FollowerMetrics::CountSnapshot(UnixTime now) {
  families_->snapshots.Increment();
  families_->last_applied.Set(static_cast<double>(now.time_since_epoch().count()));
}

void FollowerMetrics::CountRefusal(std::string_view reason) {
  families_->refusals.Add({{"reason", std::string(reason)}}).Increment();
}

void FollowerMetrics::CountDiskFailure() {
  families_->disk_failures.Increment();
}

}  // namespace idzone::replica
