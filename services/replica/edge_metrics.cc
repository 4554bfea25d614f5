// SPDX-License-Identifier: MIT
#include "services/replica/edge_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>

#include "services/process/lifecycle.h"
#include "services/replica/reader.h"
#include "services/replica/residency.h"

namespace idzone::replica {
namespace {

using GaugeFamily = prometheus::Family<prometheus::Gauge>;
using Labels = prometheus::Labels;

GaugeFamily& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

/// A figure of the board that only grows, and where it is exported.
struct CounterOf {
  Figure figure;
  const char* name;
  const char* help;
  Labels labels;
};

const std::vector<CounterOf>& Counters() {
  static const std::vector<CounterOf> counters = [] {
    const char* const answers = "idzone_edge_answers_total";
    const char* const answers_help = "Answers of this host's name servers, by response code";
    const char* const transport = "idzone_edge_transport_answers_total";
    const char* const transport_help = "Answers, by transport";
    const char* const cache = "idzone_edge_packet_cache_questions_total";
    const char* const cache_help = "Questions that an answer was kept for, or not";
    return std::vector<CounterOf>{
        {Figure::kNoError, answers, answers_help, {{"code", "NOERROR"}}},
        {Figure::kNxDomain, answers, answers_help, {{"code", "NXDOMAIN"}}},
        {Figure::kServFail, answers, answers_help, {{"code", "SERVFAIL"}}},
        {Figure::kRefused, answers, answers_help, {{"code", "REFUSED"}}},
        {Figure::kOtherCode, answers, answers_help, {{"code", "other"}}},
        {Figure::kUdpAnswers, transport, transport_help, {{"transport", "udp"}}},
        {Figure::kTcpAnswers, transport, transport_help, {{"transport", "tcp"}}},
        {Figure::kCacheHits, cache, cache_help, {{"outcome", "hit"}}},
        {Figure::kCacheMisses, cache, cache_help, {{"outcome", "miss"}}},
        {Figure::kNamesForgotten, "idzone_edge_forgotten_names_total", "Names whose kept answers were forgotten, repeats included", {}},
        {Figure::kAllForgotten, "idzone_edge_forgotten_all_total", "Times that all kept answers were forgotten", {}},
        {Figure::kForbiddenRecords, "idzone_edge_forbidden_records_total", "Records of forbidden types met in the replica, not served", {}},
    };
  }();
  return counters;
}

}  // namespace

struct EdgeMetrics::Families {
  explicit Families(prometheus::Registry& registry)
      : name_servers(Gauges(registry, "idzone_edge_name_servers", "Name servers that run on this replica").Add({})),
        written(Gauges(registry, "idzone_edge_written_time_seconds", "When the name server that is silent longest last wrote").Add({})),
        cache_entries(Gauges(registry, "idzone_edge_packet_cache_entries", "Answers that are kept").Add({})),
        signature_expiry(Gauges(registry, "idzone_edge_signature_expiry_time_seconds",
                                "The earliest end of a signature that was served in the last minute or two; 0: none was served")
                             .Add({})),
        used(Gauges(registry, "idzone_replica_used_octets", "Octets of the replica's file that have been used").Add({})),
        resident(Gauges(registry, "idzone_replica_resident_octets", "Octets of those that lie in memory").Add({})),
        map(Gauges(registry, "idzone_replica_map_octets", "Octets that the replica may grow to").Add({})),
        zones(Gauges(registry, "idzone_replica_zones", "Zones that are held").Add({})),
        serial(Gauges(registry, "idzone_replica_zone_serial", "The serial that is served, by zone")),
        applied(Gauges(registry, "idzone_replica_zone_applied_time_seconds", "When that serial was first seen here, by zone")) {
    for (const CounterOf& counter : Counters())
      counters.push_back(&prometheus::BuildCounter().Name(counter.name).Help(counter.help).Register(registry).Add(counter.labels));
  }

  std::vector<prometheus::Counter*> counters;  // in the order of Counters()
  prometheus::Gauge& name_servers;
  prometheus::Gauge& written;
  prometheus::Gauge& cache_entries;
  prometheus::Gauge& signature_expiry;
  prometheus::Gauge& used;
  prometheus::Gauge& resident;
  prometheus::Gauge& map;
  prometheus::Gauge& zones;
  GaugeFamily& serial;
  GaugeFamily& applied;
};

EdgeMetrics::EdgeMetrics(prometheus::Registry& registry, std::shared_ptr<Environment> environment, std::unique_ptr<FigureBoard> board)
    : families_(std::make_unique<Families>(registry)), environment_(std::move(environment)), board_(std::move(board)) {}
EdgeMetrics::~EdgeMetrics() = default;

void EdgeMetrics::Run(const std::stop_token& stop, const Clock& clock) {
  do {
    Refresh(clock.Now());
  } while (process::SleepFor(stop, kEvery));
}

void EdgeMetrics::Refresh(UnixTime now) {
  RefreshBoard();
  RefreshFile();
  RefreshZones(now);
}

void EdgeMetrics::RefreshBoard() {
  const auto seats = board_->Read();
  if (!seats) return;
  std::uint64_t entries = 0;
  std::uint64_t expiry = 0;
  std::uint64_t written = 0;
  std::map<unsigned, Figures> now;
  for (const FigureBoard::Seat& seat : *seats) {
    const auto before = last_.find(seat.number);
    for (std::size_t i = 0; i < Counters().size(); ++i) {
      const std::size_t index = Index(Counters()[i].figure);
      const std::uint64_t counted = before == last_.end() ? 0 : before->second[index];
      // Another process sits there when a figure has shrunk: it began at 0.
      const std::uint64_t more = seat.figures[index] < counted ? seat.figures[index] : seat.figures[index] - counted;
      families_->counters[i]->Increment(static_cast<double>(more));
    }
    const auto earlier = [](std::uint64_t a, std::uint64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; };
    expiry = earlier(expiry, seat.figures[Index(Figure::kSignatureExpiry)]);
    written = earlier(written, seat.figures[Index(Figure::kWritten)]);
    entries += seat.figures[Index(Figure::kCacheEntries)];
    now[seat.number] = seat.figures;
  }
  last_ = std::move(now);
  families_->name_servers.Set(static_cast<double>(seats->size()));
  families_->written.Set(static_cast<double>(written));
  families_->cache_entries.Set(static_cast<double>(entries));
  families_->signature_expiry.Set(static_cast<double>(expiry));
}

void EdgeMetrics::RefreshFile() {
  families_->map.Set(static_cast<double>(environment_->MapOctets()));
  const auto residency = MeasureResidency(*environment_);
  if (!residency) return;
  families_->used.Set(static_cast<double>(residency->used_octets));
  families_->resident.Set(static_cast<double>(residency->resident_octets));
}

void EdgeMetrics::RefreshZones(UnixTime now) {
  Snapshot snapshot(environment_);
  if (!snapshot.Renew()) return;
  const auto held = snapshot.Zones();
  if (!held) return;
  families_->zones.Set(static_cast<double>(held->zones.size()));
  std::map<Octets, std::uint32_t> serials;
  for (const HeldZone& zone : held->zones) {
    if (!zone.record || serials.size() == kZonesMax) continue;
    const std::uint32_t serial = zone.record->position.serial;
    const Labels labels{{"zone", zone.zone.Format()}};
    serials[zone.zone.wire()] = serial;
    const auto before = serials_.find(zone.zone.wire());
    if (before != serials_.end() && before->second == serial) continue;
    families_->serial.Add(labels).Set(static_cast<double>(serial));
    families_->applied.Add(labels).Set(static_cast<double>(now.time_since_epoch().count()));
  }
  for (const auto& [wire, serial] : serials_) {
    if (serials.contains(wire)) continue;
    const auto name = dns::Name::FromWire(wire);
    IDZONE_INVARIANT(name, "a zone that was held has a name");
    for (GaugeFamily* family : {&families_->serial, &families_->applied}) family->Remove(&family->Add({{"zone", name->Format()}}));
  }
  serials_ = std::move(serials);
}

}  // namespace idzone::replica
