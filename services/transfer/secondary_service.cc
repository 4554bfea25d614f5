// SPDX-License-Identifier: MIT
#include "services/transfer/secondary_service.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <random>
#include <stop_token>

#include "services/core/base/limits.h"
#include "services/core/zone/tsig.h"
#include "services/process/log.h"
#include "services/replica/reader.h"
#include "services/sealing/private_file.h"
#include "services/transfer/catalog_file.h"
#include "services/transfer/secondary_teller.h"
#include "services/transfer/udp_socket.h"

namespace idzone::transfer {
namespace {

using process::LogLevel;
using std::chrono::steady_clock;

/// How soon a new version is noticed.
constexpr std::chrono::milliseconds kTick(50);
/// Packets a tick: 64 secondaries of many zones are told in turns, not in one burst that the network drops.
constexpr std::size_t kPacketsPerTick = 200;
/// Packets taken from one socket a tick.
constexpr int kAnswersPerTick = 1000;
/// Standings that one message to the feed tells.
constexpr std::size_t kStandingsPerReport = 5000;
constexpr int kRcodeNoError = 0;
/// What those say who have no such zone: REFUSED, NOTAUTH. SERVFAIL is a zone that is not loaded.
constexpr int kRcodeRefused = 5;
constexpr int kRcodeNotAuth = 9;

}  // namespace

class SecondaryService::Worker {
 public:
  Worker(const SecondaryOptions& options, std::vector<zone::Secondary> secondaries, std::vector<UdpPeer> peers,
         std::optional<CatalogFile> catalog, std::shared_ptr<replica::Environment> environment, const Clock& clock,
         prometheus::Registry& registry)
      : secondaries_(std::move(secondaries)),
        peers_(std::move(peers)),
        catalog_(std::move(catalog)),
        snapshot_(std::move(environment)),
        clock_(clock),
        notify_period_(options.notify_period),
        watch_(secondaries_.size(), options.notify_period) {
    auto& notifies = prometheus::BuildCounter().Name("idzone_transfer_notifies_total").Help("NOTIFY messages sent").Register(registry);
    auto& behind = prometheus::BuildGauge()
                       .Name("idzone_transfer_zones_behind")
                       .Help("Zones that a secondary has not in the newest version")
                       .Register(registry);
    for (const zone::Secondary& secondary : secondaries_) {
      notifies_.push_back(&notifies.Add({{"secondary", secondary.id}}));
      behind_.push_back(&behind.Add({{"secondary", secondary.id}}));
    }
  }

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ReadZones();
      for (const Due& due : watch_.TakeDue(steady_clock::now(), kPacketsPerTick)) Send(due);
      WaitForPackets(peers_, kTick);
      for (std::size_t i = 0; i < peers_.size(); ++i) {
        TakeAnswers(i);
        behind_[i]->Set(static_cast<double>(watch_.CountBehind(i)));
      }
      if (std::exchange(moved_, false)) Publish();
    }
  }

  std::optional<zone::SecondaryReport> TakeReport(bool all) {
    zone::SecondaryReport report;
    {
      const std::scoped_lock lock(teller_mutex_);
      if (all) teller_.Forget();
      report.standings = teller_.Take(kStandingsPerReport);
    }
    if (report.standings.empty() && !all) return std::nullopt;
    report.notify_period = std::chrono::ceil<std::chrono::seconds>(notify_period_);
    for (const zone::Secondary& secondary : secondaries_) report.secondaries.push_back(secondary.id);
    return report;
  }

 private:
  void Publish() {
    std::vector<zone::SecondaryStanding> standings;
    for (const Standing& standing : watch_.Standings())
      standings.push_back({.secondary = secondaries_[standing.secondary].id,
                           .zone = standing.zone,
                           .serves = standing.serves,
                           .epoch = standing.position.epoch,
                           .serial = standing.position.serial});
    const std::scoped_lock lock(teller_mutex_);
    teller_.Set(std::move(standings));
  }

  /// Looks at the replica when something was committed. A replica that cannot be read changes nothing: the name server says it.
  void ReadZones() {
    const auto renewed = snapshot_.Renew();
    if (renewed && !*renewed && !first_) return snapshot_.Release();
    const auto held = renewed ? snapshot_.Zones() : tl::unexpected(renewed.error());
    snapshot_.Release();
    if (!held) return;
    first_ = false;
    std::vector<ZoneNow> zones;
    std::vector<dns::Name> names;
    for (const replica::HeldZone& zone : held->zones) {
      if (!zone.record) continue;
      zones.push_back({.zone = zone.zone, .position = zone.record->position});
      names.push_back(zone.zone);
    }
    if (catalog_) {
      if (const auto added = catalog_->Add(names, clock_.Now()); !added)
        process::LogError(LogLevel::kError, "transfer.catalog_not_written", added.error());
      else if (*added)
        process::Log(LogLevel::kInfo, "transfer.catalog_grew",
                     {{"serial", catalog_->catalog().serial}, {"zones", catalog_->catalog().zones.size()}});
      zones.push_back({.zone = catalog_->catalog().name, .position = {0, catalog_->catalog().serial, {}}, .optional = true});
    }
    watch_.SetZones(zones);
    moved_ = true;
  }

  void Send(const Due& due) {
    const zone::Secondary& secondary = secondaries_[due.secondary];
    const Request request{static_cast<std::uint16_t>(random_()), due.opcode, due.zone};
    const auto packet = zone::SignRequest(EncodeRequest(request), secondary.key, clock_.Now());
    if (!packet) return process::LogError(LogLevel::kError, "transfer.not_signed", packet.error(), {{"secondary", secondary.id}});
    peers_[due.secondary].Send(*packet);
    if (due.opcode != Opcode::kNotify) {
      asked_[{due.secondary, due.zone}] = request.id;
      return;
    }
    notifies_[due.secondary]->Increment();
    process::Log(LogLevel::kDebug, "transfer.notified", {{"secondary", secondary.id}, {"zone", due.zone.Format()}});
  }

  void TakeAnswers(std::size_t secondary) {
    for (int i = 0; i < kAnswersPerTick; ++i) {
      const auto packet = peers_[secondary].Receive();
      if (!packet) return;
      const auto answer = DecodeAnswer(*packet);
      if (!answer || answer->opcode != Opcode::kQuery) continue;
      const auto asked = asked_.find({secondary, answer->zone});
      if (asked == asked_.end() || asked->second != answer->id) continue;
      asked_.erase(asked);
      const bool refused = answer->rcode == kRcodeRefused || answer->rcode == kRcodeNotAuth;
      watch_.Answered(secondary, answer->zone, answer->rcode == kRcodeNoError ? answer->serial : std::nullopt, refused,
                      steady_clock::now());
      moved_ = true;
    }
  }

  const std::vector<zone::Secondary> secondaries_;
  std::vector<UdpPeer> peers_;
  std::optional<CatalogFile> catalog_;
  replica::Snapshot snapshot_;
  const Clock& clock_;
  const std::chrono::milliseconds notify_period_;
  SecondaryWatch watch_;
  bool first_ = true;
  bool moved_ = false;  // somebody may stand elsewhere than was published
  std::mutex teller_mutex_;
  SecondaryTeller teller_;
  std::map<std::pair<std::size_t, dns::Name>, std::uint16_t> asked_;
  std::mt19937 random_{std::random_device()()};
  std::vector<prometheus::Counter*> notifies_;
  std::vector<prometheus::Gauge*> behind_;
};

SecondaryService::SecondaryService(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)), thread_([this](const std::stop_token& stop) { worker_->Run(stop); }) {}

SecondaryService::~SecondaryService() = default;

std::optional<zone::SecondaryReport> SecondaryService::TakeReport(bool all) {
  return worker_->TakeReport(all);
}

Result<std::unique_ptr<SecondaryService>> SecondaryService::Start(const SecondaryOptions& options,
                                                                  std::shared_ptr<replica::Environment> environment, const Clock& clock,
                                                                  prometheus::Registry& registry) {
  const auto content = sealing::ReadPrivateFile(options.list_file, limits::kSecondariesFileOctetsMax);
  if (!content) return tl::unexpected(content.error());
  auto secondaries = zone::ParseSecondaries(content->view());
  if (!secondaries) return tl::unexpected(secondaries.error());
  std::vector<UdpPeer> peers;
  for (const zone::Secondary& secondary : *secondaries) {
    auto peer = UdpPeer::Connect(secondary.address, secondary.port);
    if (!peer) return tl::unexpected(peer.error());
    peers.push_back(*std::move(peer));
  }
  std::optional<CatalogFile> catalog;
  if (options.catalog) {
    auto opened = CatalogFile::Open(options.catalog_file, *options.catalog, clock.Now());
    if (!opened) return tl::unexpected(opened.error());
    catalog = *std::move(opened);
  }
  return std::unique_ptr<SecondaryService>(new SecondaryService(std::make_unique<Worker>(
      options, *std::move(secondaries), std::move(peers), std::move(catalog), std::move(environment), clock, registry)));
}

}  // namespace idzone::transfer
