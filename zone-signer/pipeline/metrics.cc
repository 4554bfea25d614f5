// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace idzone::signer::pipeline {
namespace {

using CounterFamily = prometheus::Family<prometheus::Counter>;
using GaugeFamily = prometheus::Family<prometheus::Gauge>;

CounterFamily& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

GaugeFamily& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

double SecondsOf(std::chrono::microseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

}  // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry& registry)
      : versions(Counters(registry, "idzone_signer_versions_total", "Zone versions published, by kind of work")),
        signatures(Counters(registry, "idzone_signer_signatures_total", "Signatures made, by kind of work")),
        identities(Counters(registry, "idzone_signer_identities_total", "Identities taken from the queue").Add({})),
        refused(Counters(registry, "idzone_signer_identities_refused_total", "Identities whose rows cannot be published").Add({})),
        failures(Counters(registry, "idzone_signer_failures_total", "Transactions that failed, by reason")),
        given_up(Counters(registry, "idzone_signer_given_up_total", "Transactions given up for a revocation that came").Add({})),
        takeovers(Counters(registry, "idzone_signer_takeovers_total", "Stopped signers' sessions that this one ended").Add({})),
        clock_skew(Gauges(registry, "idzone_signer_clock_skew_seconds", "How far this clock is ahead of PostgreSQL's").Add({})),
        phases(Counters(registry, "idzone_signer_phase_seconds_total", "Time spent publishing, by phase")),
        queue(Gauges(registry, "idzone_signer_queue_oldest_seconds", "Age of the oldest batch in the queue, by kind")),
        zones(Gauges(registry, "idzone_signer_zones", "Zones, by state")),
        last_version(Gauges(registry, "idzone_signer_last_version_time_seconds", "When the last version was published").Add({})),
        sweep_lag(Gauges(registry, "idzone_signer_sweep_lag_seconds",
                         "How long ago the most overdue zone should have been looked at for old signatures")
                      .Add({})),
        least_rest(Gauges(registry, "idzone_signer_signature_rest_seconds",
                          "Least remaining life among the signatures that the last sweep step met")
                       .Add({})) {}

  CounterFamily& versions;
  CounterFamily& signatures;
  prometheus::Counter& identities;
  prometheus::Counter& refused;
  CounterFamily& failures;
  prometheus::Counter& given_up;
  prometheus::Counter& takeovers;
  prometheus::Gauge& clock_skew;
  CounterFamily& phases;
  GaugeFamily& queue;
  GaugeFamily& zones;
  prometheus::Gauge& last_version;
  prometheus::Gauge& sweep_lag;
  prometheus::Gauge& least_rest;
};

Metrics::Metrics(prometheus::Registry& registry) : families_(std::make_unique<Families>(registry)) {}
Metrics::~Metrics() = default;

void Metrics::CountWork(std::string_view kind, const WorkOutcome& outcome, UnixTime now) {
  const std::map<std::string, std::string> label{{"kind", std::string(kind)}};
  families_->identities.Increment(static_cast<double>(outcome.identities));
  families_->refused.Increment(static_cast<double>(outcome.refused.size()));
  families_->phases.Add({{"phase", "plan"}}).Increment(SecondsOf(outcome.planning));
  if (!outcome.published()) return;
  families_->versions.Add(label).Increment(static_cast<double>(outcome.publication.versions));
  families_->signatures.Add(label).Increment(static_cast<double>(outcome.publication.signatures));
  families_->phases.Add({{"phase", "sign"}}).Increment(SecondsOf(outcome.publication.signing));
  families_->phases.Add({{"phase", "write"}}).Increment(SecondsOf(outcome.publication.writing));
  families_->last_version.Set(static_cast<double>(now.time_since_epoch().count()));
}

void Metrics::CountFailure(Reason reason) {
  families_->failures.Add({{"reason", std::string(ReasonName(reason))}}).Increment();
}

void Metrics::CountGivenUp() {
  families_->given_up.Increment();
}

void Metrics::SetQueue(std::string_view kind, std::chrono::seconds oldest) {
  families_->queue.Add({{"kind", std::string(kind)}}).Set(static_cast<double>(oldest.count()));
}

void Metrics::SetZones(std::size_t zones, std::size_t failing, std::size_t in_clock_doubt) {
  families_->zones.Add({{"state", "all"}}).Set(static_cast<double>(zones));
  families_->zones.Add({{"state", "failing"}}).Set(static_cast<double>(failing));
  families_->zones.Add({{"state", "clock_doubt"}}).Set(static_cast<double>(in_clock_doubt));
}

void Metrics::CountTakeovers(std::int64_t sessions) {
  families_->takeovers.Increment(static_cast<double>(sessions));
}
void Metrics::SetClockSkew(std::chrono::seconds skew) {
  families_->clock_skew.Set(static_cast<double>(skew.count()));
}
void Metrics::SetSweepLag(std::chrono::seconds most) {
  families_->sweep_lag.Set(static_cast<double>(most.count()));
}
void Metrics::SetLeastRest(std::chrono::seconds rest) {
  families_->least_rest.Set(static_cast<double>(rest.count()));
}

}  // namespace idzone::signer::pipeline
